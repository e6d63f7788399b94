"""Watches the memory and the open files of a long training: both must stay what they were after the first epoch.

    python3 tests/soak/memory.py build/release/bin/mnist_gan DATA [EPOCHS]
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def resident(process):
    """kB."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[1])


def main():
    program, data, epochs = Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100
    out = tempfile.mkdtemp(prefix="mnist_gan-memory-")
    seen = []
    try:
        process = subprocess.Popen([program, "train", "--data", data, "--out", out, "--recipe", "seed", "--epochs",
                                    str(epochs), "--no-progress", "--checkpoint-every", "2s"], stderr=subprocess.PIPE,
                                   text=True)
        for line in process.stderr:
            if line.startswith("epoch "):
                seen.append((resident(process), len(os.listdir(f"/proc/{process.pid}/fd"))))
        assert process.wait() == 0
    finally:
        shutil.rmtree(out)
    assert len(seen) == epochs, seen
    memory, files = [m for m, _ in seen], [f for _, f in seen]
    # The log grows by some 100 bytes a row; the allocator may take a page more here and there.
    growth = max(memory[1:]) - memory[1]
    print(f"{epochs} epochs: {memory[1] / 1024:.1f} MiB after the second epoch, at most {growth / 1024:.2f} MiB more "
          f"later; {min(files)} to {max(files)} open files")
    assert growth <= 1024, memory
    assert max(files) <= min(files) + 1, files  # one is being written, now and then


if __name__ == "__main__":
    main()
