"""Kills a training without warning, again and again, and goes on with it: no kill may lose a checkpoint or change a bit.

    python3 tests/soak/kill.py build/release/bin/mnist_gan [KILLS]

The trainings, of dense networks and of convolutional ones, are tiny and write a checkpoint after every step, so that most
kills fall into the writing of one. After each kill the file that is found must hold together (its checksum agrees) and be
no older than the one found before. At the end the run, which as many processes have worked on, must have given the bytes
of one that nobody disturbed.
"""
import collections
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))
from support import ENVIRONMENT, checkpoint_checksum, digest, idx, read_safetensors, read_tensors  # noqa: E402

NAMES = ("checkpoint.safetensors", "checkpoint.previous.safetensors")
IMAGES, BATCH, EPOCHS = 640, 64, 40


def data_set(folder):
    numbers = random.Random(1)
    folder.mkdir()
    for name, count in (("train", IMAGES), ("t10k", 100)):
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx(count, 28, 28, data=numbers.randbytes(784 * count)))
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx(count, data=[i % 10 for i in range(count)]))


NETWORKS = {"quick": ("--g-hidden", "64,64,64", "--d-hidden", "64,64,64"),
            "dcgan": ("--g-hidden", "64,64,64", "--d-hidden", "64", "--g-channels", "8,16", "--d-channels", "8,16")}


def command(program, folder, out, *options):
    recipe = "dcgan" if "dcgan" in folder.name else "quick"
    return [program, "train", "--data", folder / "data", "--out", folder / out, "--recipe", recipe, "--epochs",
            str(EPOCHS), "--batch", str(BATCH), "--holdout", "0", *NETWORKS[recipe],
            "--log-every", "7", "--samples-every", "0", "--checkpoint-every", "1", "--quiet", *options]


def found(out):
    """The step of the checkpoint that the next process will go on from, and which of the files it is."""
    for name in NAMES:
        if (out / name).exists():
            content = (out / name).read_bytes()
            metadata, _ = read_safetensors(out / name)
            assert checkpoint_checksum(content) == metadata["checksum"], f"{name} does not hold together"
            return struct.unpack("<q", read_tensors(out / name)["step"])[0], name
    return -1, "none"


def main():
    program, kills = Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 500
    for recipe in NETWORKS:
        soak(program, recipe, kills // len(NETWORKS))


def soak(program, recipe, kills):
    numbers = random.Random(2)
    folder = Path(tempfile.mkdtemp(prefix=f"mnist_gan-kill-{recipe}-"))
    try:
        data_set(folder / "data")
        whole = subprocess.run(command(program, folder, "whole"), env=ENVIRONMENT, capture_output=True, text=True)
        assert whole.returncode == 0, whole.stderr
        last, ended, places, debris = -1, 0, collections.Counter(), 0
        out = folder / "killed"
        for kill in range(kills):
            process = subprocess.Popen(command(program, folder, "killed", "--resume"), env=ENVIRONMENT,
                                       stderr=subprocess.PIPE, text=True)
            # Once a step of this process is there, it is writing most of the time.
            while process.poll() is None and found_fast(out) <= last:
                time.sleep(0.001)
            time.sleep(numbers.uniform(0, 0.02))
            process.kill()
            said = process.communicate()[1]
            assert process.returncode in (-9, 0), (kill, process.returncode, said)
            debris += any(path.name.startswith(".eigan-") for path in out.iterdir())
            step, name = found(out)
            assert step >= max(last, 0), f"after kill {kill} step {step} is found, before it was step {last}"
            places[name] += 1
            last = step
            if (out / "result.json").exists():  # it was done: from the beginning
                same(out, folder / "whole")
                shutil.rmtree(out)
                last, ended = -1, ended + 1
        finish = subprocess.run(command(program, folder, "killed", "--resume"), env=ENVIRONMENT, capture_output=True,
                                text=True)
        assert finish.returncode == 0, finish.stderr
        same(out, folder / "whole")
        print(f"{recipe}: {kills} kills in {ended + 1} runs: {places[NAMES[0]]} times the last checkpoint was found whole, "
              f"{places[NAMES[1]]} times the one before it, {debris} times with an unfinished file beside it; every run "
              f"ended with the bytes of an undisturbed one")
    finally:
        shutil.rmtree(folder)


def found_fast(out):
    """The step that the last checkpoint states, read while it may be replaced; -1 if there is none."""
    try:
        with open(out / NAMES[0], "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            begin, _ = json.loads(file.read(length))["step"]["data_offsets"]
            file.seek(8 + length + begin)
            return struct.unpack("<q", file.read(8))[0]
    except FileNotFoundError:
        return -1


def same(out, whole):
    for name in ("generator.safetensors", "discriminator.safetensors", "losses.csv", "samples.png"):
        assert digest(out / name) == digest(whole / name), f"{name} is another one"
    assert not [path for path in out.iterdir() if path.name.startswith(".eigan-")], "an unfinished file is left"
    mine, other = ({key: value for key, value in read_tensors(folder / NAMES[0]).items() if key != "history.seconds"}
                   for folder in (out, whole))
    assert mine == other, "the last checkpoints differ"


if __name__ == "__main__":
    main()
