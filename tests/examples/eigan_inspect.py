"""Runs eigan_inspect as a user would, on files that are well and on files that are not.

    python3 tests/examples/eigan_inspect.py build/release/bin/eigan_inspect
"""
import json
import math
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import ENVIRONMENT

PROGRAM = Path(sys.argv[1]).resolve()
YARDSTICK = Path(__file__).resolve().parents[2] / "examples/mnist_recogniser/yardstick1.safetensors"


def safetensors(tensors, metadata=None):
    """A file of (name, dtype, shape, bytes)."""
    header, data = {}, b""
    if metadata is not None:
        header["__metadata__"] = metadata
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


class Inspect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keeper = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.keeper.name)

    @classmethod
    def tearDownClass(cls):
        cls.keeper.cleanup()

    def inspect(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def test_table_of_a_model(self):
        result = self.inspect(YARDSTICK)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("architecture: Linear(in_features=784, out_features=512)", result.stdout)
        lines = {line.split()[0]: line.split() for line in result.stdout.splitlines() if line}
        self.assertEqual(lines["0.weight"][1:3], ["F32", "512x784"])
        self.assertEqual(lines["4.bias"][1:3], ["F32", "10"])
        self.assertTrue(result.stdout.endswith("\n6 tensors, 468,874 elements\n"), result.stdout[-60:])

    def test_statistics_are_those_of_the_elements(self):
        halves, singles = [1.5, -2.0, 0.25], [float(i % 7) + 1e6 for i in range(3000)]
        path = self.write("numbers", safetensors([
            ("half", "F16", [3], struct.pack("<3e", *halves)),
            ("single", "F32", [30, 100], struct.pack("<3000f", *singles)),
            ("odd", "F64", [4], struct.pack("<4d", 1.0, math.nan, 3.0, math.inf)),
            ("nothing", "F32", [0, 5], b""),
            ("one", "F64", [], struct.pack("<d", -0.5)),
            ("whole", "I64", [2], struct.pack("<2q", 1, 2)),
        ], {"a key \"with\" quotes": "value"}))
        shown = json.loads(self.inspect(path, "--json").stdout)
        self.assertEqual(shown["metadata"], [{"key": "a key \"with\" quotes", "value": "value"}])
        tensors = {tensor["name"]: tensor for tensor in shown["tensors"]}
        for name, values in (("half", halves), ("single", singles), ("odd", [1.0, 3.0]), ("one", [-0.5])):
            tensor, mean = tensors[name], math.fsum(values) / len(values)
            self.assertEqual((tensor["least"], tensor["largest"]), (min(values), max(values)), name)
            self.assertAlmostEqual(tensor["mean"], mean, delta=1e-9, msg=name)
            deviation = math.sqrt(math.fsum((x - mean) ** 2 for x in values) / len(values))
            self.assertAlmostEqual(tensor["deviation"], deviation, delta=1e-9, msg=name)
        self.assertEqual([tensors[name]["not_finite"] for name in ("half", "odd", "nothing")], [0, 2, 0])
        self.assertEqual((tensors["nothing"]["mean"], tensors["nothing"]["shape"]), (None, [0, 5]))
        self.assertNotIn("mean", tensors["whole"])
        people = self.inspect(path).stdout
        self.assertIn("one value", people)
        self.assertIn("6 tensors, 3,010 elements", people)

    def test_nothing_of_the_file_reaches_the_terminal_raw(self):
        path = self.write("evil", safetensors([("\x1b[2J\n\u202ename", "F32", [1], bytes(4))], {"k\x07": "\x1b]0;title\x07"}))
        for options in ((), ("--json",)):
            result = self.inspect(path, *options)
            self.assertEqual(result.returncode, 0)
            for bad in "\x1b\x07\u202e":
                self.assertNotIn(bad, result.stdout)

    def test_damaged_files_are_refused(self):
        good = safetensors([("w", "F32", [2], bytes(8))])
        for name, content, words in (
            ("empty", b"", "expected 8 bytes"),
            ("words", b"these are no tensors at all", "not a safetensors file?"),
            ("cut", good[:-3], "cut short"),
            ("more", good + b"x", "found 9"),
        ):
            result = self.inspect(self.write(name, content))
            self.assertEqual((result.returncode, result.stdout), (3, ""), name)
            self.assertIn(words, result.stderr)
        for arguments in ((self.folder / "missing",), (self.folder,)):
            self.assertEqual(self.inspect(*arguments).returncode, 3)
        self.assertEqual(self.inspect().returncode, 2)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, YARDSTICK], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
