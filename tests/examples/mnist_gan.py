"""Runs mnist_gan as a user would, on a few made-up images: the files it writes, what it says, how it fails.

    python3 tests/examples/mnist_gan.py build/release/bin/mnist_gan
"""
import base64
import csv
import gzip
import html.parser
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree
import zlib
from pathlib import Path

from support import (ENVIRONMENT, checkpoint_checksum, digest, idx, in_its_middle, png_size, read_safetensors, read_tensors,
                     rest_of, with_safetensors_header)

PROGRAM = Path(sys.argv[1]).resolve()
IMAGES, BATCH, EPOCHS = 200, 64, 2
TEST_IMAGES = 120
STEPS = EPOCHS * -(-IMAGES // BATCH)


# Some numbers that the generator of an earlier revision gives, from the z that there are now.
EARLIER = {300: 0.45302, 400: -0.30458, 450: -0.30819, 4220: 0.15441,
           4320: -0.18490, 4370: -0.65686, 8140: 0.31020, 8240: -0.21352,
           8290: -0.53115, 12060: -0.21006, 12160: 0.05634, 12210: -0.88955}


def write_data_set(folder):
    """Two kinds of bright squares, most files plain and one gzip."""
    numbers = random.Random(1)

    def squares(count):
        pixels = bytearray()
        for _ in range(count):
            image = bytearray(28 * 28)
            left = numbers.choice([4, 14])
            for row in range(8, 20):
                for column in range(left, left + 10):
                    image[28 * row + column] = numbers.randrange(180, 256)
            pixels += image
        return pixels

    pixels, test_pixels = squares(IMAGES), squares(TEST_IMAGES)
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(IMAGES, 28, 28, data=pixels)))
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(IMAGES, data=[i % 10 for i in range(IMAGES)]))
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx(TEST_IMAGES, 28, 28, data=test_pixels))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx(TEST_IMAGES, data=[i % 10 for i in range(TEST_IMAGES)]))


def read_npy(path):
    """The shape, and the numbers in a row."""
    content = path.read_bytes()
    (length,) = struct.unpack("<H", content[8:10])
    header = eval(content[10 : 10 + length])  # a literal of our own program's making
    assert header["descr"] == "<f4" and not header["fortran_order"]
    return header["shape"], struct.unpack(f"<{(len(content) - 10 - length) // 4}f", content[10 + length :])


def png_rows(content):
    """The pixels of an 8-bit greyscale PNG, row by row; zlib and the sums at the end of each part must agree."""
    (width, height), packed, at = struct.unpack(">II", content[16:24]), b"", 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        part = content[at + 4 : at + 8 + length]
        assert struct.pack(">I", zlib.crc32(part)) == content[at + 8 + length : at + 12 + length]
        packed += part[4:] if part[:4] == b"IDAT" else b""
        at += 12 + length
    raw = zlib.decompress(packed)
    assert part == b"IEND" and len(raw) == (width + 1) * height
    rows = [bytes(width)]
    for y in range(height):
        kind, row = raw[(width + 1) * y], bytearray(raw[(width + 1) * y + 1 : (width + 1) * (y + 1)])
        for x in range(width):
            a, b, c = (row[x - 1], rows[-1][x], rows[-1][x - 1]) if x > 0 else (0, rows[-1][x], 0)
            paeth = min((a, b, c), key=lambda value: abs(a + b - c - value))
            row[x] = (row[x] + (0, a, b, (a + b) // 2, paeth)[kind]) % 256
        rows.append(bytes(row))
    return rows[1:]


class Page(html.parser.HTMLParser):
    """A page of HTML: its elements with their attributes, and its text. Every element that is opened must be closed."""

    VOID = {"img", "input", "meta"}

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


class MnistGan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="mnist_gan-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data = cls.folder / "data"
        write_data_set(cls.data)
        cls.first = cls.folder / "first"
        cls.first_result = cls.train(cls.first, "--threads", "1")

    @classmethod
    def run_program(cls, *arguments, **options):
        return subprocess.run([PROGRAM, *arguments], env=ENVIRONMENT, cwd=cls.folder, capture_output=True, text=True,
                              timeout=300, **options)

    @classmethod
    def train_command(cls, out, *options):
        return ["train", "--data", cls.data, "--out", out, "--recipe", "seed", "--epochs", str(EPOCHS), *options]

    @classmethod
    def train(cls, out, *options, **run_options):
        return cls.run_program(*cls.train_command(out, *options), **run_options)

    def fails(self, result, code, *words):
        """One line on stderr with these words in it, nothing on stdout, and the exit code."""
        self.assertEqual(result.stdout, "")
        lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: compiled")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("mnist_gan: error: "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(result.returncode, code, result.stderr)

    # What a training writes

    def test_training_succeeds_and_says_so_in_plain_text(self):
        result = self.first_result
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertTrue(all(c == "\n" or c.isprintable() for c in result.stderr), repr(result.stderr))
        for words in ("eigan ", "1 thread\n", "200 images", "100-32-64-128-784, 114,800 parameters",
                      "784-128-64-32-1, 110,849 parameters", "batch 64, seed 1", "epoch 1/2 ", "epoch 2/2 "):
            self.assertIn(words, result.stderr)

    def test_run_folder_holds_these_files_and_no_other(self):
        files = {str(path.relative_to(self.first)) for path in self.first.rglob("*") if path.is_file()}
        self.assertEqual(files, {"config.json", "result.json", "losses.csv", "losses.svg", "samples.png",
                                 "report.html", "samples/epoch_001.png", "samples/epoch_002.png", "generator.safetensors",
                                 "discriminator.safetensors", "checkpoint.safetensors",
                                 "checkpoint.previous.safetensors"})

    def test_config_states_every_hyper_parameter(self):
        config = json.loads((self.first / "config.json").read_text())
        expected = {"recipe": "seed", "data": str(self.data), "epochs": 2, "batch": 64, "seed": 1, "latent": 100,
                    "g_hidden": [32, 64, 128], "d_hidden": [128, 64, 32], "g_negative_slope": 0.2,
                    "d_negative_slope": 0.2, "dropout": 0.3,
                    "g_lr": 0.002, "d_lr": 0.002, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "real_label": 0.9,
                    "threads": 1}
        self.assertEqual(config | expected, config)

    def test_flags_change_the_recipe(self):
        out = self.folder / "flags"
        options = {"recipe": "seed", "epochs": 1, "batch": 50, "seed": 7, "latent": 20, "g_hidden": [16, 17, 18],
                   "d_hidden": [30, 20, 10], "g_negative_slope": 0.1, "d_negative_slope": 0.1, "dropout": 0, "g_lr": 0.0001, "d_lr": 0.0002,
                   "beta1": 0.5, "beta2": 0.99, "eps": 1e-6, "real_label": 1, "samples_every": 0, "log_every": 1}
        arguments = ["--lr", "0.5"]  # what is said of one network is stronger
        for name, value in options.items():
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            arguments += ["--" + name.replace("_", "-"), text]
        self.assertEqual(self.train(out, *arguments).returncode, 0)
        config = json.loads((out / "config.json").read_text())
        self.assertEqual(config | options, config)
        self.assertEqual(len((out / "losses.csv").read_text().splitlines()), 1 + 4)
        self.assertEqual(list((out / "samples").iterdir()), [])
        metadata, shapes = read_safetensors(out / "generator.safetensors")
        self.assertEqual([shapes[f"{i}.weight"] for i in (0, 3, 6, 9)], [[16, 20], [17, 16], [18, 17], [784, 18]])
        self.assertEqual(self.run_program("sample", "--model", out / "generator.safetensors", "--out",
                                          self.folder / "small.png").returncode, 0)

    def test_every_hyper_parameter_reaches_the_training(self):
        def generator(*options):
            out = self.folder / "hyper"
            self.assertEqual(self.train(out, "--epochs", "1", "--force", *options).returncode, 0)
            content = (out / "generator.safetensors").read_bytes()
            (length,) = struct.unpack("<Q", content[:8])
            return digest(content[8 + length :])  # the numbers alone

        usual = generator()
        self.assertEqual(generator("--samples-every", "0", "--log-every", "1", "--quiet"), usual)
        for option, value in (("--batch", "63"), ("--seed", "2"), ("--latent", "99"), ("--g-hidden", "32,64,127"),
                              ("--d-hidden", "128,64,31"), ("--negative-slope", "0.1"), ("--dropout", "0.2"),
                              ("--lr", "0.001"), ("--g-lr", "0.001"), ("--d-lr", "0.001"), ("--beta1", "0.5"),
                              ("--beta2", "0.99"), ("--eps", "0.001"), ("--real-label", "1")):
            self.assertNotEqual(generator(option, value), usual, option)

    def test_both_learning_rates_follow_lr(self):
        out = self.folder / "lr"
        self.assertEqual(self.train(out, "--epochs", "1", "--lr", "0.25").returncode, 0)
        config = json.loads((out / "config.json").read_text())
        self.assertEqual((config["g_lr"], config["d_lr"]), (0.25, 0.25))

    def test_losses_are_means_of_all_steps(self):
        with open(self.first / "losses.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([(row["step"], row["epoch"]) for row in rows], [(str(STEPS), str(EPOCHS))])
        row = {name: float(value) for name, value in rows[0].items()}
        self.assertTrue(0.5 < row["d_loss"] < 2 and 0.3 < row["g_loss"] < 3, row)
        self.assertTrue(0 < row["d_real"] < 1 and 0 < row["d_fake"] < 1, row)
        xml.etree.ElementTree.parse(self.first / "losses.svg")

    def test_models_say_what_they_are(self):
        metadata, shapes = read_safetensors(self.first / "generator.safetensors")
        expected = {"format": "eigan", "network": "generator", "recipe": "seed", "latent": "100", "seed": "1",
                    "sizes": "100,32,64,128,784", "epoch": "2", "step": str(STEPS)}
        self.assertEqual(metadata | expected, metadata)
        self.assertEqual(shapes["9.weight"], [784, 128])
        metadata, shapes = read_safetensors(self.first / "discriminator.safetensors")
        self.assertEqual((metadata["network"], shapes["0.weight"]), ("discriminator", [128, 784]))

    def test_sheets_are_ten_by_ten(self):
        for name in ("samples.png", "samples/epoch_001.png", "samples/epoch_002.png"):
            self.assertEqual(png_size(self.first / name), (302, 302))
        sheets = [digest(self.first / name) for name in ("samples.png", "samples/epoch_001.png")]
        self.assertNotEqual(*sheets)

    def test_report_is_one_page_with_everything_in_it(self):
        text = (self.first / "report.html").read_text()
        page = Page(text)
        for words in ("A GAN on MNIST: ", str(self.first), "D(real)", "epoch 2", "2 sheets side by side",
                      "100-32-64-128-784, 114,800 parameters", "batch 64, seed 1", str(self.data)):
            self.assertIn(words, page.words)
        self.assertEqual([chart["aria-label"] for chart in page.all("svg")], ["Losses", "Discriminator's opinion"])
        self.assertEqual(len(page.all("h1")), 1)
        names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        self.assertEqual(len(names), len(set(names)))
        (slider,) = (field for field in page.all("input") if field["type"] == "range")
        self.assertEqual((slider["min"], slider["max"], slider["value"]), ("0", "1", "1"))

    def test_report_needs_nothing_else(self):
        text = (self.first / "report.html").read_text()
        self.assertEqual(set(re.findall("https?:[^\"' >]*", text)), {"http://www.w3.org/2000/svg"})
        page = Page(text)
        for tag in ("link", "iframe", "object", "embed", "use", "base", "a"):
            self.assertEqual(page.all(tag), [])
        for tag, attributes in page.elements:
            self.assertTrue({"href", "srcset", "action", "data", "style"}.isdisjoint(attributes), attributes)
            self.assertTrue(tag == "img" or "src" not in attributes, tag)
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)

    def test_report_shows_the_sheets(self):
        images = Page((self.first / "report.html").read_text()).all("img")
        files = ["samples/epoch_002.png", "samples/epoch_001.png", "samples/epoch_002.png"]  # the first one is large
        self.assertEqual([image["alt"][-7:] for image in images], ["epoch 2", "epoch 1", "epoch 2"])
        for image, file in zip(images, files, strict=True):
            kind, content = image["src"].split(",")
            self.assertEqual(kind, "data:image/png;base64")
            content = base64.b64decode(content, validate=True)
            self.assertEqual(digest(content), digest(self.first / file))
            self.assertTrue(any(any(row) for row in png_rows(content)))

    def test_report_takes_no_name_for_markup(self):
        name = "<img src=x onerror=alert(1)> & \"b\" 'c'"
        out = self.folder / name
        self.assertEqual(self.train(out, "--samples-every", "0", "--epochs", "1").returncode, 0)
        page = Page((out / "report.html").read_text())
        self.assertEqual(page.words.count(name), 3)  # title, heading, settings
        (image,) = page.all("img")
        content = base64.b64decode(image["src"].split(",")[1], validate=True)
        self.assertEqual(digest(content), digest(out / "samples.png"))
        self.assertEqual(page.all("script"), [])  # a single sheet needs none
        self.assertEqual(self.train(self.folder / "</title>/\x1b\nb", "--epochs", "1").returncode, 0)
        self.assertIn("</title>/\\x1b\\x0ab", Page((self.folder / "</title>/\x1b\nb/report.html").read_text()).words)

    def test_result_does_not_depend_on_threads(self):
        for threads in ("2", "3"):
            out = self.folder / f"threads{threads}"
            self.assertEqual(self.train(out, "--threads", threads).returncode, 0)
            for name in ("generator.safetensors", "discriminator.safetensors", "losses.csv", "samples.png"):
                self.assertEqual(digest(out / name), digest(self.first / name), name)

    def test_result_depends_on_the_seed(self):
        out = self.folder / "seed2"
        self.assertEqual(self.train(out, "--seed", "2").returncode, 0)
        self.assertNotEqual(digest(out / "samples.png"), digest(self.first / "samples.png"))

    # Whose folder it is

    def test_finished_run_is_only_replaced_by_force(self):
        out = self.folder / "again"
        self.assertEqual(self.train(out, "--epochs", "3").returncode, 0)
        before = digest(out / "generator.safetensors")
        self.fails(self.train(out), 1, "again", "--force")
        self.assertEqual(digest(out / "generator.safetensors"), before)
        (out / "notes.txt").write_text("mine")
        self.assertEqual(self.train(out, "--force").returncode, 0)
        self.assertEqual(digest(out / "generator.safetensors"),
                         digest(self.first / "generator.safetensors"))
        self.assertFalse((out / "samples/epoch_003.png").exists(), "a sheet of the earlier run is left")
        self.assertEqual((out / "notes.txt").read_text(), "mine")

    def test_sheets_of_any_epoch_are_only_taken_away_by_force(self):
        sheet = self.folder / "sheets/samples/epoch_010.png"
        sheet.parent.mkdir(parents=True)
        sheet.write_text("an earlier run's")
        self.fails(self.train(self.folder / "sheets"), 1, "samples/epoch_010.png", "--force")
        self.assertEqual(sheet.read_text(), "an earlier run's")

    def test_signal_keeps_what_there_is_and_does_not_finish_the_run(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            out = self.folder / f"signal{int(number)}"
            command = self.train_command(out, "--epochs", "1000000", "--samples-every", "0", "--log-every", "1")
            process = subprocess.Popen([PROGRAM, *command], env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
            for line in process.stderr:
                if line.startswith("epoch "):
                    break
            process.send_signal(number)
            rest = process.stderr.read()
            process.stderr.close()
            self.assertEqual(process.wait(timeout=60), 128 + number, rest)
            self.assertIn("stopped after ", rest)
            self.assertTrue((out / "generator.safetensors").exists() and (out / "losses.svg").exists())
            self.assertIn(" of 1,000,000, stopped", Page((out / "report.html").read_text()).words)
            self.assertFalse((out / "result.json").exists())
            refused = self.train(out)
            self.assertNotEqual(refused.returncode, 0, "a stopped run's networks would be lost")
            self.assertIn("config.json already; --resume goes on", refused.stderr)
            self.assertIn("--force replaces it", refused.stderr)
        self.assertEqual(self.train(out, "--force").returncode, 0)

    @staticmethod
    def catches(process, number):
        """Whether the process has a handler for the signal. It takes it away once it has heard it."""
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
        return caught is not None and int(caught[1], 16) >> (number - 1) & 1 == 1

    def test_a_second_signal_ends_the_program_at_once(self):
        # It cannot get to the end of a step: nobody reads what it says, and there is no room for more.
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(write_end, b"x" * 4096)
        os.set_blocking(write_end, True)
        out = self.folder / "two signals"
        process = subprocess.Popen([PROGRAM, *self.train_command(out, "--epochs", "1000000")], env=ENVIRONMENT,
                                   stderr=write_end)
        while not (out / "config.json").exists():
            self.assertIsNone(process.poll())
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None and self.catches(process, signal.SIGTERM):
            time.sleep(0.01)
        self.assertIsNone(process.poll(), "it ended at the first signal")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=60), -signal.SIGINT)
        os.close(read_end)
        os.close(write_end)

    def test_a_signal_that_was_ignored_stays_so(self):
        out = self.folder / "nohup"
        process = subprocess.Popen([PROGRAM, *self.train_command(out, "--epochs", "1000000", "--samples-every", "0")],
                                   env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        for line in process.stderr:
            if line.startswith("epoch "):
                break
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
            process.send_signal(number)
        rest = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=60), 128 + signal.SIGTERM, rest)

    # Samples

    def sample(self, name, *options):
        return self.run_program("sample", "--model", self.first / "generator.safetensors", "--out", name, *options)

    def test_sample_of_the_runs_seed_is_its_sheet(self):
        out = self.folder / "same.png"
        result = self.sample(out)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
        self.assertEqual(digest(out), digest(self.first / "samples.png"))
        for change in (("--seed", "2"), ("--truncation", "0.5")):
            self.assertEqual(self.sample(out, *change).returncode, 0)
            self.assertNotEqual(digest(out), digest(self.first / "samples.png"), change)

    def test_dense_recipe_normalises_averages_and_holds_images_out(self):
        out = self.folder / "dense"
        result = self.run_program("train", "--data", self.data, "--out", out, "--recipe", "dense", "--epochs", "2")
        self.assertEqual(result.returncode, 0, result.stderr)
        for words in ("180 images of 28x28, 20 more held out", "64 normal numbers, one of 10 components\n",
                      "74-256-512-512-784", "batch normalisation",
                      "R1 penalty 1 every 8 steps", "average of the generator 0.998", "annealed", "recipe         dense"):
            self.assertIn(words, result.stderr)
        metadata, shapes = read_safetensors(out / "generator.safetensors")
        self.assertEqual(metadata | {"normalisation": "batch", "latent_distribution": "normal", "conditional": "no",
                                     "holdout": "5000", "components": "10",
                                     "truncation": "1"}, metadata)
        self.assertEqual(shapes["1.running_mean"], [256])
        self.assertEqual(shapes["9.weight"], [784, 512])
        again = self.folder / "dense_sheet.png"
        self.run_program("sample", "--model", out / "generator.safetensors", "--out", again)
        self.assertEqual(digest(again), digest(out / "samples.png"))
        for change in (["--r1", "0"], ["--r1-every", "3"], ["--average", "0"], ["--schedule", "constant"],
                       ["--g-norm", "none"], ["--latent-distribution", "uniform"], ["--holdout", "10"], ["--components", "4"],
                       ["--truncation", "0.5"], ["--g-negative-slope", "0.2"], ["--g-samples", "own"]):
            other = self.folder / f"dense{change[0]}"
            result = self.run_program("train", "--data", self.data, "--out", other, "--recipe", "dense", "--epochs", "2",
                                      *change)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotEqual(digest(other / "samples.png"), digest(out / "samples.png"), change)

    def test_conditional_generator_draws_the_digits_that_are_asked_for(self):
        out = self.folder / "conditional"
        options = ("train", "--data", self.data, "--recipe", "conditional", "--epochs", "2", "--out")
        result = self.run_program(*options, out, "--threads", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("74-256-512-512-784", result.stderr)
        self.assertIn("794-512-512-256-1", result.stderr)
        metadata, _ = read_safetensors(out / "generator.safetensors")
        self.assertEqual(metadata | {"conditional": "yes", "truncation": "0.9", "components": "0"}, metadata)
        sheet = self.folder / "rows.png"  # a row for each digit, as the run's own
        self.assertEqual(self.run_program("sample", "--model", out / "generator.safetensors", "--out", sheet).returncode, 0)
        self.assertEqual(digest(sheet), digest(out / "samples.png"))
        other = self.folder / "conditional3"
        self.run_program(*options, other, "--threads", "3")
        self.assertEqual(digest(other / "generator.safetensors"), digest(out / "generator.safetensors"))

        model, sheet, z = out / "generator.safetensors", self.folder / "year.png", self.folder / "year.npy"
        self.assertEqual(self.run_program("sample", "--model", model, "--digits", "2024", "--count", "6", "--out", sheet,
                                          "--save-z", z).returncode, 0)
        self.assertEqual(png_size(sheet), (4 * 30 + 2, 2 * 30 + 2))
        shape, numbers = read_npy(z)
        self.assertEqual(shape, (6, 74))
        for i, digit in enumerate((2, 0, 2, 4, 2, 0)):
            self.assertEqual(list(numbers[74 * i + 64 : 74 * (i + 1)]), [3.0 * (k == digit) for k in range(10)])
        self.fails(self.run_program("sample", "--model", model, "--digits", "2a", "--out", sheet), 2, "--digits", "2a")
        self.fails(self.run_program("sample", "--model", self.first / "generator.safetensors", "--digits", "1", "--out",
                                    sheet), 3, "generator.safetensors", "asked for digits")

    def test_convolutional_networks_train_draw_and_are_judged(self):
        for recipe, told in (("dcgan", 0), ("dcgan-conditional", 10)):
            out = self.folder / recipe
            options = ("train", "--data", self.data, "--recipe", recipe, "--epochs", "2", "--latent", "20",
                       "--components", "0", *self.SMALL["convolutional"],
                       *(("--mismatch", "0.5") if told else ("--conditional", "no")), "--out")
            result = self.run_program(*options, out, "--threads", "1")
            self.assertEqual(result.returncode, 0, result.stderr)
            for words in (f"{20 + told}-16-17-18+{20 + told}-5x7x7-3x14x14-1x28x28, ",
                          f"1x28x28-4x14x14-3x7x7-5x7x7{'+10' if told else ''}-16-1, ",
                          "batch normalisation, tanh\n", "R1 penalty "):
                self.assertIn(words, result.stderr)
            config = json.loads((out / "config.json").read_text())
            self.assertEqual((config["g_channels"], config["d_channels"]), ([3, 5], [4, 3, 5]))
            self.assertEqual(config.get("mismatch"), 0.5 if told else None)
            self.assertEqual("wrong digits 0.5 every 8 steps" in result.stderr, told > 0)
            self.assertEqual((config["g_hidden"], config["d_hidden"]), ([16, 17, 18], [16]))
            metadata, shapes = read_safetensors(out / "generator.safetensors")
            self.assertEqual(metadata | {"channels": "3,5", "normalisation": "batch", "latent": "20"}, metadata)
            self.assertEqual([shapes[f"{i}.weight"] for i in ("0.body.0", "0.body.3", "0.body.6", 1, 5, 8)],
                             [[16, 20 + told], [17, 16], [18, 17], [245, 38 + told], [5, 3, 4, 4], [3, 1, 4, 4]])
            other = self.folder / f"{recipe} 3"
            self.run_program(*options, other, "--threads", "3")
            for name in ("generator.safetensors", "discriminator.safetensors", "losses.csv", "samples.png"):
                self.assertEqual(digest(other / name), digest(out / name), name)

            model, sheet = out / "generator.safetensors", self.folder / f"{recipe}.png"
            self.assertEqual(self.run_program("sample", "--model", model, "--out", sheet).returncode, 0)
            self.assertEqual(digest(sheet), digest(out / "samples.png"))
            self.assertEqual(self.run_program("sample", "--model", model, "--interpolate", "--out", sheet).returncode, 0)
            self.assertEqual(png_size(sheet), (12 * 30 + 2, 10 * 30 + 2))
            result = self.run_program("evaluate", "--model", model, "--data", self.data, "--count", "100")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual("drawn as asked for" in result.stdout, told > 0)
            self.assertIn("28x28, ", Page((out / "report.html").read_text()).words)
            for change in (["--r1", "0"], ["--schedule", "linear"], ["--g-channels", "3,4"], ["--d-channels", "4,3"],
                           ["--g-skip", "no"], ["--g-norm", "none"], ["--d-negative-slope", "0.1"], ["--average", "0"],
                           *([["--mismatch", "0"]] if told else ())):
                changed = self.folder / f"{recipe}{change[0]}"
                result = self.run_program(*options, changed, *change)
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNotEqual(digest(changed / "samples.png"), digest(out / "samples.png"), change)
            for option in ("--g-norm", "--g-skip"):  # their networks have other layers
                plain = self.folder / f"{recipe}{option}"
                self.assertEqual(self.run_program("sample", "--model", plain / "generator.safetensors", "--out",
                                                  sheet).returncode, 0)
                self.assertEqual(digest(sheet), digest(plain / "samples.png"))
        race = self.run_program("race", "--data", self.data, "--recipe", "dcgan", "--inception", "1", "--frechet", "1e9",
                                "--every", "1", "--count", "100")
        self.assertRegex(race.stdout, r"^[0-9.]+ s, 1 steps: ")

    def test_a_generator_of_an_earlier_revision_draws_what_it_drew(self):
        model, images = Path(__file__).resolve().parent / "generator_7d487dd.safetensors", self.folder / "earlier.npy"
        result = self.run_program("sample", "--model", model, "--count", "20", "--digits", "3141592653",
                                  "--out", images)
        self.assertEqual(result.returncode, 0, result.stderr)
        shape, values = read_npy(images)
        self.assertEqual(shape, (20, 784))
        for place, value in EARLIER.items():
            self.assertAlmostEqual(values[place], value, places=4)

    def test_evaluate_judges_beside_references(self):
        model = self.first / "generator.safetensors"
        outputs = []
        for threads in ("1", "3"):
            scores = self.folder / f"scores{threads}.json"
            result = self.run_program("evaluate", "--model", model, "--data", self.data, "--count", "150", "--json", scores,
                                      "--threads", threads)
            self.assertEqual(result.returncode, 0, result.stderr)
            outputs.append(result.stdout + scores.read_text())
        self.assertEqual(*outputs)
        scores = json.loads(scores.read_text())
        rows = {row["name"]: row for row in scores["rows"]}
        self.assertEqual(list(rows), ["this generator", "real training images", "real images, noise 0.3",
                                      "one real image repeated", "untrained generator"])
        for name, row in rows.items():
            self.assertIn(name, result.stdout)
            self.assertEqual(row["samples"], 150)
            self.assertAlmostEqual(sum(row["shares"]), 1)
            self.assertIn(f"{row['frechet_distance']:.2f}", result.stdout)
        real, repeated = rows["real training images"], rows["one real image repeated"]
        self.assertEqual((real["novelty"], repeated["novelty"]), (0, 0))
        self.assertGreater(rows["untrained generator"]["novelty"], 1)
        self.assertGreater(real["coverage"], 0.5)
        self.assertEqual(repeated["recall"], 0)
        self.assertAlmostEqual(repeated["inception_score"], 1, places=5)
        self.assertGreater(repeated["frechet_distance"], real["frechet_distance"])
        self.assertGreater(rows["untrained generator"]["frechet_distance"], real["frechet_distance"])
        self.assertIn("the last 20 training images, though this generator was trained on them", scores["note"])
        self.assertEqual(scores["recogniser"], "yardstick 2")
        self.assertIn("seen by yardstick 2, which knows ", scores["note"])

    def test_evaluate_says_what_is_wrong(self):
        model, lacking = self.first / "generator.safetensors", self.folder / "lacking"
        lacking.mkdir()
        for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"):
            (lacking / name).symlink_to(self.data / name)
        self.fails(self.run_program("evaluate", "--model", model, "--data", lacking), 3, "lacking", "t10k-images")
        self.fails(self.run_program("evaluate", "--model", model, "--data", self.data, "--recogniser", model), 3,
                   "generator.safetensors")
        self.fails(self.run_program("evaluate", "--model", model, "--data", self.data, "--count", "5"), 2, "--count")
        self.fails(self.run_program("evaluate", "--model", model, "--data", self.data, "--count", "100", "--json",
                                    "nowhere/scores.json"), 1, "nowhere/scores.json")

    def test_evaluate_beside_held_out_images_of_the_training(self):
        # The same scores as beside a folder whose test images are those, but for what looks at the training images.
        data = self.folder / "last"
        data.mkdir()
        for file in self.data.glob("train-*"):
            shutil.copy(file, data / file.name)
            content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            header = 16 if "images" in file.name else 8
            size = (len(content) - header) // IMAGES
            (data / file.name.replace("train", "t10k").removesuffix(".gz")).write_bytes(
                content[:4] + struct.pack(">I", 100) + content[8:header] + content[-100 * size:])

        def scores(*options):
            file = self.folder / "held.json"
            result = self.run_program("evaluate", "--model", self.first / "generator.safetensors", "--json", file, "--count",
                                      "100", *options)
            self.assertEqual(result.returncode, 0, result.stderr)
            return json.loads(file.read_text())

        held, folder = scores("--data", self.data, "--held-out", "100"), scores("--data", data)
        for mine, theirs in zip(held["rows"], folder["rows"], strict=True):
            for name in ("name", "inception_score", "frechet_distance", "total_variation", "precision", "recall", "density",
                         "coverage"):
                self.assertEqual(mine[name], theirs[name], name)
            self.assertIsNotNone(mine["novelty"])
        self.assertEqual(held["recogniser_accuracy"], folder["recogniser_accuracy"])
        self.assertEqual((held["held_out"], folder["held_out"]), (100, 0))
        self.assertIn("% of the last 100 training images, of which this generator never saw 0. Parzen's sigma was chosen on "
                      f"the {(IMAGES - 100) // 10} training images before those, though", held["note"])
        self.fails(self.run_program("evaluate", "--model", self.first / "generator.safetensors", "--data", self.data,
                                    "--held-out", str(IMAGES - 99)), 3, f"{IMAGES} images", "--held-out")
        self.fails(self.run_program("evaluate", "--model", self.first / "generator.safetensors", "--data", self.data,
                                    "--held-out", "99"), 2, "--held-out")

    def test_novelty_is_left_out_beside_images_of_the_training(self):
        data, scores = self.folder / "seen", self.folder / "seen.json"
        data.mkdir()
        for file in self.data.glob("train-*"):
            for part in ("train", "t10k"):
                shutil.copy(file, data / file.name.replace("train", part))
        result = self.run_program("evaluate", "--model", self.first / "generator.safetensors", "--data", data, "--count",
                                  "100", "--json", scores)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"(?m)^this generator +100 .* -$")
        self.assertIsNone(json.loads(scores.read_text())["rows"][0]["novelty"])

    def test_training_is_scored_on_the_way_and_at_the_end(self):
        out = self.folder / "scored"
        result = self.train(out, "--evaluate-every", "1", "--evaluate")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("untrained generator", result.stderr)
        with open(out / "metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["epoch"] for row in rows], ["1", "2"])
        best = min(rows, key=lambda row: float(row["frechet_distance"]))["epoch"]
        metadata, _ = read_safetensors(out / "best_generator.safetensors")
        self.assertEqual(metadata["epoch"], best)
        self.assertEqual(digest(out / "samples.png"), digest(self.first / "samples.png"))  # it only looks on
        report = (out / "report.html").read_text()
        for words in ("Inception Score", "one real image repeated", "Frechet distance from the test images"):
            self.assertIn(words, report)
        evaluated = self.run_program("evaluate", "--model", out / "generator.safetensors", "--data", self.data, "--json",
                                     self.folder / "again.json")
        self.assertEqual(evaluated.returncode, 0, evaluated.stderr)
        self.assertEqual((self.folder / "again.json").read_text(), (out / "evaluation.json").read_text())

    def test_race_ends_when_the_samples_are_good_enough(self):
        result = self.run_program("race", "--data", self.data, "--inception", "1", "--frechet", "1e9", "--every", "2",
                                  "--count", "100")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"^[0-9.]+ s, 2 steps: Inception Score [0-9.]+, Frechet distance [0-9.]+\n$")
        self.fails(self.run_program("race", "--data", self.data, "--recipe", "seed", "--inception", "11", "--every", "300",
                                    "--count", "100"), 1, "not reached in 400 steps")
        late = self.run_program("race", "--data", self.data, "--recipe", "quick", "--inception", "1", "--frechet", "1e9",
                                "--every", "1000000", "--count", "100")
        self.assertRegex(late.stdout, r"^[0-9.]+ s, 12 steps: ")  # the last step is scored, too

    def test_sample_formats_agree(self):
        sheet, bytes_file, floats_file, z_file = (self.folder / name for name in
                                                  ("s.png", "s.idx3-ubyte", "s.npy", "z.npy"))
        for out, options in ((sheet, []), (bytes_file, []), (floats_file, ["--save-z", z_file])):
            self.assertEqual(self.sample(out, "--count", "7", "--seed", "5", *options).returncode, 0)
        self.assertEqual(png_size(sheet), (92, 92))
        shape, values = read_npy(floats_file)
        self.assertEqual(shape, (7, 784))
        self.assertTrue(all(-1 <= value <= 1 for value in values))
        content = bytes_file.read_bytes()
        self.assertEqual(content[:16], idx(7, 28, 28, data=[]))
        self.assertEqual(len(content), 16 + 7 * 784)
        self.assertTrue(all(abs((value + 1) * 127.5 - byte) <= 0.501 for value, byte in zip(values, content[16:])))
        shape, z = read_npy(z_file)
        self.assertEqual(shape, (7, 100))
        self.assertTrue(all(-1 <= value < 1 for value in z) and min(z) < -0.9 and max(z) > 0.9)

    def test_walks_go_from_one_sample_to_another(self):
        ends, ends_z, walks, walks_z = (self.folder / name for name in
                                        ("ends.idx3-ubyte", "ends.npy", "walks.png", "walks.npy"))
        self.assertEqual(self.sample(ends, "--count", "6", "--seed", "5", "--save-z", ends_z).returncode, 0)
        self.assertEqual(self.sample(walks, "--interpolate", "--count", "3", "--seed", "5", "--save-z",
                                     walks_z).returncode, 0)
        content, rows = ends.read_bytes()[16:], png_rows(walks.read_bytes())
        self.assertEqual((len(rows[0]), len(rows)), (12 * 30 + 2, 3 * 30 + 2))

        def in_sheet(row, column):
            return b"".join(pixels[30 * column + 2 : 30 * column + 30] for pixels in rows[30 * row + 2 : 30 * row + 30])

        (_, end), (shape, z) = read_npy(ends_z), read_npy(walks_z)
        self.assertEqual(shape, (36, 100))
        for walk in range(3):
            first, last = end[200 * walk : 200 * walk + 100], end[200 * walk + 100 : 200 * walk + 200]
            self.assertEqual(in_sheet(walk, 0), content[784 * 2 * walk :][:784])
            self.assertEqual(in_sheet(walk, 11), content[784 * (2 * walk + 1) :][:784])
            self.assertEqual((z[1200 * walk :][:100], z[1200 * walk + 1100 :][:100]), (first, last))
            for step in range(12):
                for a, b, between in zip(first, last, z[1200 * walk + 100 * step :]):
                    self.assertAlmostEqual(a + (b - a) * step / 11, between, places=6)

    def test_ten_walks_are_the_default(self):
        out = self.folder / "ten.png"
        self.assertEqual(self.sample(out, "--interpolate").returncode, 0)
        self.assertEqual(png_size(out), (12 * 30 + 2, 10 * 30 + 2))

    # What goes wrong

    def test_bad_command_lines(self):
        training = ("train", "--data", "data", "--out", "never")
        sampling = ("sample", "--model", self.first / "generator.safetensors")
        for words, *arguments in (
            (("subcommand",),),
            (("unknown argument 'trian'", "did you mean train?"), "trian"),
            (("--data is required",), "train", "--out", "never"),
            (("--out is required",), "train", "--data", "data"),
            (("'--epoch'", "did you mean --epochs?"), *training, "--epoch", "3"),
            (("--epochs", "from 1 to", "'0'"), *training, "--epochs", "0"),
            (("--epochs", "'-5'"), *training, "--epochs", "-5"),
            (("--epochs", "'1e3'"), *training, "--epochs", "1e3"),
            (("--epochs", "'99999999999999999999'"), *training, "--epochs", "99999999999999999999"),
            (("--batch", "'0'"), *training, "--batch", "0"),
            (("--threads", "'0'"), *training, "--threads", "0"),
            (("--seed", "'-1'"), *training, "--seed", "-1"),
            (("--lr", "'nan'"), *training, "--lr", "nan"),
            (("--g-lr", "'0'"), *training, "--g-lr", "0"),
            (("--beta1", "'1'"), *training, "--beta1", "1"),
            (("--dropout", "'1'"), *training, "--dropout", "1"),
            (("--dropout", "0.999", "'0.999999'"), *training, "--dropout", "0.999999"),
            (("--real-label", "'0'"), *training, "--real-label", "0"),
            (("--g-hidden", "3 sizes", "'32,64'"), *training, "--g-hidden", "32,64"),
            (("--d-hidden", "1 to 3 sizes", "'1,2,3,4'"), *training, "--d-hidden", "1,2,3,4"),
            (("--recipe", "seed", "'sed'"), *training, "--recipe", "sed"),
            (("--g-channels", "2 sizes", "'32'"), *training, "--recipe", "dcgan", "--g-channels", "32"),
            (("--d-channels", "2 to 3 sizes", "'1,2,3,4'"), *training, "--recipe", "dcgan", "--d-channels", "1,2,3,4"),
            (("--g-channels", "convolutional", "'dense'"), *training, "--recipe", "dense", "--g-channels", "32,64"),
            (("--mismatch", "--conditional yes", "'0.5'"), *training, "--recipe", "dense", "--mismatch", "0.5"),
            (("--mismatch", "or 0", "'0.03'"), *training, "--recipe", "dcgan-conditional", "--conditional", "no"),
            (("--g-skip", "convolutional", "'dense'"), *training, "--recipe", "dense", "--g-skip", "yes"),
            (("--conditional", "no or yes", "'maybe'"), *training, "--conditional", "maybe"),
            (("--schedule", "constant, linear or late", "'cosine'"), *training, "--schedule", "cosine"),
            (("'\\x1b[2J'",), *training, "--recipe", "\x1b[2J"),
            (("--out is required",), *sampling),
            (("--out", ".png", "'digits.jpg'"), *sampling, "--out", "digits.jpg"),
            (("--save-z", ".npy", "'z.png'"), *sampling, "--out", "digits.png", "--save-z", "z.png"),
            (("--count", "'0'"), *sampling, "--out", "digits.png", "--count", "0"),
            (("--interpolate", "--out", ".png", "'d.npy'"), *sampling, "--interpolate", "--out", "d.npy"),
            (("--interpolate", ".png", "'d.idx3-ubyte'"), *sampling, "--out", "d.idx3-ubyte", "--interpolate"),
            (("--interpolate", "10000", "'10001'"), *sampling, "--out", "d.png", "--interpolate", "--count", "10001"),
        ):
            with self.subTest(arguments=arguments):
                self.fails(self.run_program(*arguments), 2, *words)
        self.assertFalse((self.folder / "never").exists())

    def test_bad_data(self):
        def data_set(name, **files):
            folder = self.folder / name
            shutil.copytree(self.data, folder)
            for file, content in files.items():
                (folder / file.replace("_", "-")).write_bytes(content)
            return folder

        images = (self.data / "train-images-idx3-ubyte.gz").read_bytes()
        labels = (self.data / "train-labels-idx1-ubyte").read_bytes()
        truncated = data_set("truncated")
        (truncated / "train-images-idx3-ubyte.gz").write_bytes(images[: len(images) // 2])
        page = data_set("page")
        (page / "train-images-idx3-ubyte.gz").write_bytes(b"<!DOCTYPE html><html>404</html>")
        empty = self.folder / "empty"
        empty.mkdir()
        for folder, words in (
            (self.folder / "no\x1bwhere", ("no\\x1bwhere", "no such folder")),
            (empty, ("no train-images",)),
            (self.data / "train-labels-idx1-ubyte", ("a file, expected the folder",)),
            (data_set("swapped", train_images_idx3_ubyte=labels), ("holds labels", "expected images")),
            (truncated, ("truncated", "incomplete")),
            (page, ("HTML",)),
        ):
            with self.subTest(folder=folder.name):
                result = self.run_program("train", "--data", folder, "--out", "never")
                self.fails(result, 3, *words)
        self.assertFalse((self.folder / "never").exists())

    def test_bad_models(self):
        def model(name, change):
            path = self.folder / f"{name}.safetensors"
            path.write_bytes(with_safetensors_header(self.first / "generator.safetensors", change))
            return path

        def without(key):
            return lambda header: header["__metadata__"].pop(key)

        def with_text(key, text):
            return lambda header: header["__metadata__"].update({key: text})

        def rename(header):
            header["12.weight"] = header.pop("9.weight")

        def reshape(header):
            header["3.weight"]["shape"].reverse()

        def convolution(name, change):
            path = self.folder / f"{name}.safetensors"
            if not (self.folder / "small dcgan").exists():
                result = self.run_program("train", "--data", self.data, "--out", self.folder / "small dcgan", "--recipe",
                                          "dcgan", "--epochs", "1", *self.SMALL["convolutional"])
                self.assertEqual(result.returncode, 0, result.stderr)
            path.write_bytes(with_safetensors_header(self.folder / "small dcgan/generator.safetensors", change))
            return path

        def other_channels(header):
            header["5.weight"]["shape"] = [3, 5, 4, 4]

        def other_skip(header):
            header["1.weight"]["shape"].reverse()

        def no_channels(header):
            header["5.weight"]["shape"] = [5, 0, 4, 4]

        cut = self.folder / "cut.safetensors"
        cut.write_bytes((self.first / "generator.safetensors").read_bytes()[:-1])
        for path, words in (
            (self.folder / "nothing.safetensors", ("nothing.safetensors", "No such file")),
            (self.data / "train-labels-idx1-ubyte", ("train-labels",)),
            (cut, ("cut.safetensors",)),
            (self.first / "discriminator.safetensors", ("expected a generator, found a discriminator",)),
            (model("stranger", without("network")), ("metadata", "'network'")),
            (model("slope", with_text("negative_slope", "steep")), ("negative_slope", "'steep'")),
            (model("dropout", with_text("dropout", "1")), ("dropout", "'1'")),
            (model("dropout_near_1", with_text("dropout", "0.999999")), ("dropout_near_1", "dropout", "'0.999999'")),
            (model("other", with_text("architecture", "Other()")), ("architecture", "Other()")),
            (model("deeper", rename), ("9.weight",)),
            (model("reshaped", reshape), ("3.weight", "expected 32 inputs", "found 64")),
            (convolution("other skip", other_skip), ("1.weight", "expected 284 inputs", "found 245")),
            (convolution("other channels", other_channels), ("1.weight", "expected 3 channels of 7x7", "245 outputs")),
            (convolution("no channels", no_channels), ("5.weight",)),
            (convolution("no batch norm", with_text("normalisation", "none")), ("4.weight",)),
        ):
            with self.subTest(model=path.name):
                result = self.run_program("sample", "--model", path, "--out", "never.png")
                self.fails(result, 3, *words)
        self.assertFalse((self.folder / "never.png").exists())

    def test_output_that_cannot_be_written(self):
        file = self.folder / "a file"
        file.write_text("")
        self.fails(self.train(file), 1, "a file", "cannot create")
        self.fails(self.train("/proc/nowhere"), 1, "/proc/nowhere", "cannot create")
        self.fails(self.sample(self.folder / "missing" / "digits.png"), 1, "missing/digits.png")
        self.fails(self.sample("/dev/null/digits.npy"), 1, "/dev/null/digits.npy")

    def test_full_disk_leaves_no_half_model(self):
        def limit_file_size():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))  # a sheet fits, a model does not

        out = self.folder / "full"
        self.fails(self.train(out, "--quiet", "--checkpoint-every", "0", preexec_fn=limit_file_size), 1,
                   "generator.safetensors", "cannot write")
        self.assertEqual({path.name for path in out.iterdir()},
                         {"config.json", "losses.csv", "losses.svg", "samples", "samples.png"})
        out = self.folder / "full from the start"
        self.fails(self.train(out, "--quiet", preexec_fn=limit_file_size), 1, "checkpoint.safetensors", "cannot write")
        self.assertEqual(list(out.rglob("*")), [out / "samples"])

    def test_divergence_is_noticed(self):
        out = self.folder / "diverged"
        result = self.train(out, "--quiet", "--lr", "1e30", "--log-every", "1")
        self.fails(result, 4, "diverged at step ", "(epoch ", "d_loss ", "g_loss ", "--lr",
                   "the last checkpoint is kept")
        self.assertFalse((out / "result.json").exists() or (out / "generator.safetensors").exists())
        self.assertTrue((out / "losses.csv").read_text().startswith("step,"))

    def with_number(self, path, tensor, place, number, kind="<f"):
        """A checkpoint with one number of a tensor replaced, and the checksum made to agree."""
        content = bytearray(path.read_bytes())
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        begin, _ = header[tensor]["data_offsets"]
        struct.pack_into(kind, content, 8 + length + begin + struct.calcsize(kind) * place, number)
        old = header["__metadata__"]["checksum"]
        return bytes(content).replace(old.encode(), checkpoint_checksum(content).encode())

    def test_a_number_that_is_none_is_noticed_in_the_step_that_uses_it(self):
        for tensor, place in (("generator.9.weight", 3 * 128 + 5), ("discriminator.0.bias", 7),
                              ("discriminator.adam.exp_avg", 0), ("generator.adam.exp_avg_sq", 5)):
            for number in (float("nan"), float("inf")):
                out = self.folder / "poisoned"
                self.assertEqual(self.train(out, "--force", "--epochs", "1").returncode, 0)
                last = out / "checkpoint.safetensors"
                last.write_bytes(self.with_number(last, tensor, place, number))
                written = last.stat().st_mtime_ns
                result = self.train(out, "--resume", "--quiet")
                if number == float("inf") and "exp_avg_sq" in tensor:  # which stops a parameter and no more
                    self.fails(result, 4, "diverged at step 5 (epoch 2)", "generator.adam: exp_avg_sq is not finite")
                else:
                    self.fails(result, 4, "diverged at step 5 (epoch 2)", tensor.split(".")[0] + ": ")
                    self.assertRegex(result.stderr, r"\] is -?(nan|inf)")
                self.assertEqual(last.stat().st_mtime_ns, written, "a bad checkpoint was written")

    def test_an_average_that_is_no_number_is_noticed(self):
        out = self.folder / "poisoned average"
        options = ("--average", "0.9", "--schedule", "constant")
        result = self.train(out, *options, "--epochs", "1")
        self.assertEqual(result.returncode, 0, result.stderr)
        last = out / "checkpoint.safetensors"
        last.write_bytes(self.with_number(last, "generator.average.average", 3, float("nan")))
        self.fails(self.train(out, *options, "--resume", "--quiet"), 4, "diverged at step 5",
                   "generator.average: average is not finite")

    def test_retries_go_on_with_smaller_rates(self):
        out = self.folder / "retries"
        options = ("--lr", "1e36", "--epochs", "3", "--log-every", "1")
        result = self.train(out, *options, "--retries", "200")
        self.assertEqual(result.returncode, 0, result.stderr[-2000:])
        warnings = [line for line in result.stderr.splitlines() if line.startswith("warning: diverged at step ")]
        self.assertGreater(len(warnings), 1)
        self.assertIn("with 0.5 of the learning rates (retry 1 of 200)", warnings[0])
        self.assertIn("with 0.25 of the learning rates (retry 2 of 200)", warnings[1])
        rows = (out / "losses.csv").read_text().splitlines()
        self.assertEqual([row.split(",")[0] for row in rows], ["step"] + [str(i) for i in range(1, 13)])
        self.assertNotIn("nan", "".join(rows))
        often = self.train(out, *options, "--retries", "200", "--checkpoint-every", "1", "--evaluate-every", "1", "--force")
        self.assertEqual(often.returncode, 0, "the last checkpoint led to the same divergence again and again")
        self.assertGreater(often.stderr.count("warning: diverged at step "), 1)
        scores = (out / "metrics.csv").read_text().splitlines()
        self.assertEqual([row.split(",")[0] for row in scores], ["epoch", "1", "2", "3"])
        again = self.train(self.folder / "two retries", *options, "--retries", "2", "--quiet")
        self.assertEqual(again.returncode, 4)
        self.assertEqual(len(again.stderr.splitlines()), 3, again.stderr)
        self.assertIn("2 retries did not", again.stderr.splitlines()[2])
        # Another process knows how often it was tried.
        self.fails(self.train(self.folder / "two retries", *options, "--retries", "2", "--quiet", "--resume"), 4,
                   "2 retries did not")
        self.fails(self.train(out, "--retries", "1", "--checkpoint-every", "0", "--force"), 2, "--retries")

    def test_a_generator_that_draws_one_image_is_reported(self):
        out = self.folder / "collapsed"
        result = self.train(out, "--truncation", "0", "--epochs", "125", "--samples-every", "0")
        self.assertEqual(result.returncode, 0)
        self.assertIn("the generator has collapsed: for different z its digits vary 0.0 % as much", result.stderr)
        self.assertLess(json.loads((out / "result.json").read_text())["variety"], 1e-6)
        out = self.folder / "varied"
        result = self.train(out, "--recipe", "quick", "--epochs", "75", "--samples-every", "0", "--g-hidden", "32,32,32",
                            "--d-hidden", "32,32,32")
        self.assertNotIn("collapsed", result.stderr)
        self.assertGreater(json.loads((out / "result.json").read_text())["variety"], 0.05)

    # Going on with a run

    RESULTS = ("generator.safetensors", "discriminator.safetensors", "losses.csv", "samples.png",
               "samples/epoch_001.png", "samples/epoch_002.png")

    def same_run(self, out, other, *more):
        for name in (*self.RESULTS, *more):
            self.assertEqual(digest(out / name), digest(other / name), name)
        # All but the time that it took.
        ends = [json.loads((folder / "result.json").read_text()) for folder in (out, other)]
        self.assertEqual({**ends[0], "seconds": 0}, {**ends[1], "seconds": 0})
        tensors = [read_tensors(folder / "checkpoint.safetensors") for folder in (out, other)]
        self.assertEqual(tensors[0].keys(), tensors[1].keys())
        for name, content in tensors[0].items():
            if name != "history.seconds":
                self.assertEqual(digest(content), digest(tensors[1][name]), name)

    def stopped(self, out, at_step, *options):
        """A run that is killed as soon as its checkpoint of this step is there. Where it was over before, once more."""
        while True:
            process = subprocess.Popen([PROGRAM, *self.train_command(out, "--checkpoint-every", "1", *options)],
                                       env=ENVIRONMENT, stderr=subprocess.DEVNULL)
            while process.poll() is None and self.step_of(out) < at_step:
                pass
            process.kill()
            if process.wait() == -signal.SIGKILL and not (out / "result.json").exists():
                return
            self.assertIn(process.returncode, (0, -signal.SIGKILL))
            shutil.rmtree(out)

    def step_of(self, out):
        for name in ("checkpoint.safetensors", "checkpoint.previous.safetensors"):
            try:
                return struct.unpack("<q", read_tensors(out / name)["step"])[0]
            except FileNotFoundError:
                pass
        return -1

    SMALL = {"dense": ("--g-hidden", "16,16,16", "--d-hidden", "16,16,16"),
             "convolutional": ("--g-hidden", "16,17,18", "--d-hidden", "16", "--g-channels", "3,5", "--d-channels",
                               "4,3,5")}

    def test_a_killed_run_goes_on_to_the_same_bits(self):
        for recipe, networks, steps, *more in (("seed", "dense", 16), ("conditional", "dense", 12),
                                               ("dcgan", "convolutional", 12),
                                               ("dcgan-conditional", "convolutional", 12, "--mismatch", "0.5")):
            small = ("--recipe", recipe, *self.SMALL[networks], *more, "--log-every", "3", "--evaluate-every", "1",
                     "--r1-every", "2", "--epochs", "4")
            whole = self.folder / f"whole {recipe}"
            self.assertEqual(self.train(whole, *small, "--threads", "1").returncode, 0)
            # At the beginning, in the middle of an epoch, at the end of one, and almost done.
            for at_step, threads in ((0, 1), (2, 2), (steps // 4, 1), (7, 3), (steps - 1, 2)):
                out = self.folder / f"killed {recipe} {at_step}"
                self.stopped(out, at_step, *small, "--threads", "1")
                there = self.step_of(out)
                self.assertGreaterEqual(there, at_step)
                result = self.train(out, *small, "--resume", "--threads", str(threads))
                self.assertEqual(result.returncode, 0, result.stderr)
                if there < steps:  # it was not about to end
                    self.assertIn(f"going on after step {there} of {steps}\n", result.stderr)
                self.same_run(out, whole, "metrics.csv", "best_generator.safetensors", "samples/epoch_004.png")
                self.assertEqual(sorted(path.name for path in out.iterdir()),
                                 sorted(path.name for path in whole.iterdir()), "debris is left")

    def test_a_signalled_run_goes_on_to_the_same_bits(self):
        out = self.folder / "signalled"
        command = self.train_command(out, "--epochs", "100", "--samples-every", "0", "--log-every", "7")
        process, _ = in_its_middle(PROGRAM, *command)
        process.send_signal(signal.SIGINT)
        rest = rest_of(process)
        self.assertEqual(process.wait(timeout=60), 130, rest)
        self.assertIn("--resume goes on from there", rest)
        self.assertEqual(self.run_program(*command, "--resume", "--threads", "2").returncode, 0)
        whole = self.folder / "not signalled"
        self.assertEqual(self.run_program(*self.train_command(whole, "--epochs", "100", "--samples-every", "0",
                                                              "--log-every", "7")).returncode, 0)
        for name in self.RESULTS[:4]:
            self.assertEqual(digest(out / name), digest(whole / name), name)

    def test_resume_begins_what_is_not_there_and_leaves_what_is_finished(self):
        out = self.folder / "resumed at once"
        self.assertEqual(self.train(out, "--resume").returncode, 0)
        self.same_run(out, self.first)
        before = {path: (path.stat().st_mtime_ns, digest(path)) for path in out.rglob("*") if path.is_file()}
        result = self.train(out, "--resume")
        self.assertEqual((result.returncode, result.stderr), (0, f"{out}: the run is finished already\n"))
        after = {path: (path.stat().st_mtime_ns, digest(path)) for path in out.rglob("*") if path.is_file()}
        self.assertEqual(after, before)

    def test_a_run_at_constant_rates_can_be_made_longer(self):
        out = self.folder / "longer"
        self.assertEqual(self.train(out, "--epochs", "1").returncode, 0)
        result = self.train(out, "--resume")
        self.assertEqual(result.returncode, 0, result.stderr)
        # The log's row that the first run's end would have cut short goes on, too.
        self.same_run(out, self.first)

    def test_resume_needs_the_same_run(self):
        out = self.folder / "same run"
        self.assertEqual(self.train(out, "--epochs", "1").returncode, 0)
        for options, words in ((("--batch", "32"), ("batch 32", "found 64")), (("--seed", "2"), ("seed 2", "found 1")),
                               (("--d-hidden", "16,16,16"), ("d_hidden [16,16,16]", "found [128,64,32]")),
                               (("--log-every", "7"), ("log_every 7",))):
            self.fails(self.train(out, "--resume", *options), 1, "checkpoint.safetensors", "--resume needs", *words)
        told = self.folder / "same digits"
        small = ("--recipe", "conditional", *self.SMALL["dense"], "--epochs", "1")
        self.assertEqual(self.train(told, *small, "--mismatch", "0.5").returncode, 0)
        self.fails(self.train(told, *small, "--mismatch", "0", "--resume"), 1, "--resume needs", "mismatch 0", "found 0.5")
        other = self.folder / "other data"
        shutil.copytree(self.data, other)
        (other / "train-labels-idx1-ubyte").write_bytes(idx(IMAGES, data=[0] * IMAGES))
        self.fails(self.train(out, "--resume", "--data", other), 1, "images", "CRC-32")
        self.fails(self.train(out, "--resume", "--force"), 2, "--force")
        empty = self.folder / "models only"
        empty.mkdir()
        shutil.copy(out / "generator.safetensors", empty)
        self.fails(self.train(empty, "--resume"), 1, "generator.safetensors already", "no checkpoint to go on from")

    def test_a_forged_checkpoint_is_refused(self):
        out = self.folder / "forged"
        self.assertEqual(self.train(out, "--epochs", "1").returncode, 0)
        (out / "checkpoint.previous.safetensors").unlink()
        last, content = out / "checkpoint.safetensors", (out / "checkpoint.safetensors").read_bytes()
        for tensor, number, kind, words in (("step", -1, "<q", "expected steps of 0 and more"),
                                            ("step", 2**62, "<q", "expected a log of 4611686018427387904 steps"),
                                            ("history.epoch.count", 2**62, "<q", "expected an epoch of 0 steps"),
                                            ("history.log.steps", 3, "<q", "expected a log of 4 steps"),
                                            ("history.log.row.count", 2**62, "<q", "expected a log of "),
                                            ("history.seconds", float("nan"), "<d", "expected a time"),
                                            ("rate", float("inf"), "<d", "expected learning rates")):
            last.write_bytes(self.with_number(last, tensor, 0, number, kind))
            self.fails(self.train(out, "--resume"), 1, "checkpoint.safetensors: ", words)
            last.write_bytes(content)

        def one_column_short(header):
            column = header["history.log.d_loss"]
            column["shape"] = [column["shape"][0] - 1]

        self.assertEqual(self.train(out, "--force", "--epochs", "1", "--log-every", "1").returncode, 0)
        (out / "checkpoint.previous.safetensors").unlink()
        tensors, forged = read_tensors(last), bytearray()
        header = json.loads(last.read_bytes()[8 : 8 + struct.unpack("<Q", last.read_bytes()[:8])[0]])
        tensors["history.log.d_loss"] = tensors["history.log.d_loss"][:-8]
        one_column_short(header)
        for name, tensor in header.items():
            if name != "__metadata__":
                tensor["data_offsets"] = [len(forged), len(forged) + len(tensors[name])]
                forged += tensors[name]
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        forged = struct.pack("<Q", len(text)) + text + bytes(forged)
        old = header["__metadata__"]["checksum"]
        last.write_bytes(forged.replace(old.encode(), checkpoint_checksum(forged).encode()))
        self.fails(self.train(out, "--resume", "--log-every", "1"), 1, "as many numbers in each column of the log")

    def test_two_processes_do_not_share_a_folder(self):
        out = self.folder / "shared folder"
        process = subprocess.Popen([PROGRAM, *self.train_command(out, "--epochs", "1000000", "--samples-every", "0")],
                                   env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith("epoch "):
                break
        for option in ("--resume", "--force"):
            self.fails(self.train(out, "--epochs", "1000000", "--samples-every", "0", option), 1,
                       "another process works on it")
        process.kill()
        process.communicate()
        self.assertEqual(self.train(out, "--epochs", "1", "--force").returncode, 0)

    def test_resume_does_not_go_back(self):
        out = self.folder / "shorter"
        self.assertEqual(self.train(out).returncode, 0)
        self.fails(self.train(out, "--epochs", "1", "--resume"), 1, "has done 8 steps already", "--epochs 1")
        self.assertTrue((out / "result.json").exists())
        out = self.folder / "no checkpoints"
        self.assertEqual(self.train(out, "--checkpoint-every", "0").returncode, 0)
        self.assertIn("finished already", self.train(out, "--checkpoint-every", "0", "--resume").stderr)

    def test_resume_scores_with_the_same_eyes(self):
        out = self.folder / "eyes"
        options = ("--evaluate-every", "1", "--g-hidden", "16,16,16", "--d-hidden", "16,16,16")
        self.assertEqual(self.train(out, *options, "--epochs", "1").returncode, 0)
        other = self.folder / "other eyes.safetensors"
        other.write_bytes(with_safetensors_header(self.yardstick(),
                                                  lambda header: header["__metadata__"].update(note="mine")))
        self.fails(self.train(out, *options, "--resume", "--recogniser", other), 1, "recogniser", "CRC-32")

    @staticmethod
    def yardstick():
        return Path(__file__).resolve().parents[2] / "examples/mnist_recogniser/yardstick2.safetensors"

    def test_a_damaged_checkpoint_gives_way_to_the_one_before(self):
        out = self.folder / "damaged"
        self.assertEqual(self.train(out, "--epochs", "1", "--checkpoint-every", "1").returncode, 0)
        last, before = out / "checkpoint.safetensors", out / "checkpoint.previous.safetensors"
        content, good = bytearray(last.read_bytes()), digest(before)
        content[-1] ^= 1
        last.write_bytes(content)
        result = self.train(out, "--resume", "--checkpoint-every", "1000000")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("(the file is damaged); going on from the other checkpoint", result.stderr)
        self.same_run(out, self.first)
        self.assertEqual(digest(before), good, "the damaged file has taken the place of the good one")
        last.write_bytes(content[:1000])
        before.write_bytes(b"")
        self.fails(self.train(out, "--resume"), 1, "checkpoint.safetensors", "checkpoint.previous.safetensors")

    def test_a_disk_that_is_full_for_a_while_costs_nothing(self):
        out = self.folder / "full for a while"
        options = ("--epochs", "100", "--checkpoint-every", "1", "--samples-every", "0")
        process, said = in_its_middle(PROGRAM, *self.train_command(out, *options))
        before = self.step_of(out)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000000, resource.RLIM_INFINITY))
        for line in process.stderr:
            said += line.decode()
            if line.startswith(b"warning: ") and b"checkpoint.safetensors: cannot write: " in line:
                break
        self.assertIn("checkpoint.safetensors: cannot write: ", said)
        self.assertGreaterEqual(self.step_of(out), before, "the last checkpoint is lost")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        said += rest_of(process)
        self.assertEqual(process.wait(timeout=300), 0, said)
        # Not before its end: it tries again at every step, and a file that it is writing is there for a moment.
        self.assertEqual([path.name for path in out.iterdir() if path.name.startswith(".eigan-")], [])
        whole = self.folder / "never full"
        self.assertEqual(self.train(whole, "--epochs", "100", "--samples-every", "0").returncode, 0)
        for name in self.RESULTS[:4]:
            self.assertEqual(digest(out / name), digest(whole / name), name)

    def test_training_goes_on_where_files_cannot_be_written(self):
        out = self.folder / "read-only"
        command = self.train_command(out, "--epochs", "100", "--checkpoint-every", "1", "--samples-every", "0")
        process, _ = in_its_middle(PROGRAM, *command)
        out.rename(self.folder / "moved away")
        rest = rest_of(process)
        self.assertEqual(process.wait(timeout=300), 0, rest)
        self.assertIn(f"warning: {out}/checkpoint.safetensors: cannot ", rest)
        for name in ("result.json", "generator.safetensors", "config.json", "checkpoint.safetensors"):
            self.assertTrue((out / name).exists(), name)

    def test_another_runs_folder_under_the_same_name_is_left_alone(self):
        out = self.folder / "moved"
        options = ("--checkpoint-every", "1", "--samples-every", "0")
        process = subprocess.Popen([PROGRAM, *self.train_command(out, "--epochs", "1000000", *options)],
                                   env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if line.startswith("epoch "):
                break
        out.rename(self.folder / "moved elsewhere")
        self.assertEqual(self.train(out, "--epochs", "1", "--seed", "9").returncode, 0)
        before = {path.name: digest(path) for path in out.iterdir() if path.is_file()}
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=60), 1, rest)
        self.assertIn(f"{out}: is another folder than the one that the run began in", rest)
        self.assertEqual({path.name: digest(path) for path in out.iterdir() if path.is_file()}, before)

    # What it shows

    def test_help_and_version_go_to_stdout(self):
        for arguments in (["--help"], ["train", "--help"], ["sample", "-h"]):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("\n\nExamples:\n  mnist_gan ", result.stdout)
            self.assertLess(result.stdout.index("Examples:"), result.stdout.index("Usage:"))
        help_text = self.run_program("train", "--help").stdout
        for words in ("--lr X ", "[0.002]", "[256,256,512]", "[all processors]", "--real-label X", "[late]"):
            self.assertIn(words, help_text)
        self.assertRegex(self.run_program("--version").stdout, r"^mnist_gan \(eigan\) \d+\.\d+\.\d+\n$")

    def test_quiet_is_quiet(self):
        result = self.train(self.folder / "quiet", "--quiet")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertEqual([line for line in result.stderr.splitlines() if not line.startswith("warning: ")], [])

    def on_terminal(self, name, *options, **environment):
        """What a training writes to a terminal, and the terminal's own line ends taken out."""
        try:
            controller, terminal = pty.openpty()
        except OSError as error:  # a container may have none
            self.skipTest(f"no terminal to be had here: {error}")
        try:
            process = subprocess.Popen([PROGRAM, *self.train_command(self.folder / name, *options)], stdout=terminal,
                                       stderr=terminal, env=ENVIRONMENT | environment)
            os.close(terminal)
            shown = b""
            while True:
                try:
                    part = os.read(controller, 65536)
                except OSError:  # how Linux tells that the other end is closed
                    break
                if not part:
                    break
                shown += part
            self.assertEqual(process.wait(timeout=60), 0, shown)
        finally:
            os.close(controller)
        return shown.decode().replace("\r\n", "\n")

    def test_terminal_shows_a_line_that_is_drawn_again(self):
        shown = self.on_terminal("terminal", COLUMNS="100")
        self.assertRegex(shown, r"\r\x1b\[Kepoch 1/2 \[\x1b\[32m=*>? *\x1b\[0m\] \S+( s)? left  D \d\.\d\d G \d\.\d\d "
                                r"real 0\.\d\d fake 0\.\d\d \S+ img/s")
        self.assertRegex(shown, r"\r\x1b\[Kepoch 1/2  D \d\.\d{3}  G \d")  # the line gives way to the epoch's
        self.assertIn("\ntrained in ", shown)

    def test_terminal_line_fits(self):
        for columns, has_bar in (("80", True), ("40", False), ("9", False)):
            shown = self.on_terminal("narrow" + columns, NO_COLOR="1", COLUMNS=columns)
            self.assertNotIn("\x1b[3", shown)
            lines = [part.split("\n")[0] for part in shown.split("\r\x1b[K")[1:]]
            self.assertIn("epoch 1/", lines[0])
            self.assertLess(len(lines[0]), int(columns))
            self.assertEqual("[" in lines[0], has_bar, lines[0])

    def test_terminal_line_can_be_declined(self):
        for name, options, environment in (("no-progress", ["--no-progress"], {}), ("dumb", [], {"TERM": "dumb"}),
                                           ("ci", [], {"CI": "true"})):
            shown = self.on_terminal(name, *options, **environment)
            self.assertTrue(all(c == "\n" or c.isprintable() for c in shown), repr(shown))
            self.assertIn("epoch 1/2  D ", shown)

    def test_reader_of_the_messages_may_leave(self):
        out = self.folder / "left"
        process = subprocess.Popen([PROGRAM, *self.train_command(out)], env=ENVIRONMENT, stderr=subprocess.PIPE)
        process.stderr.readline()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=300), 0)
        self.assertTrue((out / "result.json").exists())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
