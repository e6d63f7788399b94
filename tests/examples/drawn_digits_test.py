"""Shows mnist_recogniser a thousand of MNIST's test digits in each of the ways in which people's pictures differ from
MNIST's, pairs of digits, and blank paper.

    python3 tests/examples/drawn_digits_test.py build/release/bin/mnist_recogniser data/mnist [train]

With `train` it takes the last thousand training images: what the program does with a picture was chosen by those.
"""
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import drawn_digits as drawn
from support import ENVIRONMENT, png

PROGRAM = Path(sys.argv[1]).resolve()
PART = "train" if sys.argv[3:4] == ["train"] else "t10k"
DATA = drawn.mnist(sys.argv[2], PART)
COUNT = 1000
ENOUGH = 930


def grey_png(rows):
    return png(len(rows[0]), len(rows), rows)


@unittest.skipUnless(DATA, "skipped: no MNIST here")
class DrawnDigits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        images, labels = DATA
        chosen = slice(-COUNT, None) if PART == "train" else slice(COUNT)
        cls.digits, cls.labels = images[chosen], labels[chosen]

    def recognise(self, pictures):
        """What the program says of each PNG: a digit, or the reason why there is none."""
        with tempfile.TemporaryDirectory() as folder:
            for i, picture in enumerate(pictures):
                (Path(folder) / f"{i}.png").write_bytes(picture)
            result = subprocess.run([PROGRAM, "recognise", *(f"{i}.png" for i in range(len(pictures)))], cwd=folder,
                                    env=ENVIRONMENT, capture_output=True, text=True, timeout=600)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        said = {int(i): int(digit) for i, digit in re.findall(r"^(\d+)\.png: (\d)  ", result.stdout, re.MULTILINE)}
        said |= {int(i): why for i, why in re.findall(r"error: (\d+)\.png: (.*)$", result.stderr, re.MULTILINE)}
        self.assertEqual(sorted(said), list(range(len(pictures))))
        return [said[i] for i in range(len(pictures))]

    def assert_read(self, picture, what):
        said = self.recognise([picture(digit, i) for i, digit in enumerate(self.digits)])
        right = sum(found == label for found, label in zip(said, self.labels))
        refused = sum(isinstance(found, str) for found in said)
        print(f"{what}: {right} of {COUNT} right, {refused} called none or several", flush=True)
        self.assertGreaterEqual(right, ENOUGH)
        self.assertLessEqual(refused, COUNT // 100)

    def test_as_they_are(self):
        self.assert_read(lambda digit, _: grey_png(digit), "as they are")

    def test_moved_by_4_pixels(self):
        self.assert_read(lambda *digit: grey_png(drawn.moved(*digit)), "moved by 4 pixels")

    def test_in_a_frame_of_one_dark_pixel(self):
        self.assert_read(lambda *digit: grey_png(drawn.framed(*digit)), "in a frame")

    def test_on_paper_in_uneven_light(self):
        self.assert_read(lambda *digit: grey_png(drawn.unevenly_lit(*digit)), "in uneven light")
        self.assert_read(lambda *digit: grey_png(drawn.unevenly_lit(*digit, times=2)), "in uneven light, 56x56")

    def test_white_ink_on_transparent_ground(self):
        self.assert_read(lambda *digit: png(28, 28, drawn.white_on_transparent(*digit), kind=4), "white on transparent")

    def test_two_digits_are_called_several(self):
        pairs = zip(self.digits, self.digits[1:] + self.digits[:1])
        said = self.recognise([grey_png(drawn.side_by_side(*pair, i)) for i, pair in enumerate(pairs)])
        several = sum("found several" in str(found) for found in said)
        print(f"two digits: {several} of {COUNT} called several", flush=True)
        self.assertGreaterEqual(several, ENOUGH)

    def test_blank_paper_is_called_none(self):
        for found in self.recognise([grey_png(drawn.blank(i)) for i in range(48)]):
            self.assertIn("expected a digit", str(found))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
