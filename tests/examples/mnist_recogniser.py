"""Runs mnist_recogniser as a user would: a short training on made-up images, and the trained weights of the repository
on drawn digits.

    python3 tests/examples/mnist_recogniser.py build/release/bin/mnist_recogniser
"""
import base64
import gzip
import random
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

from support import ENVIRONMENT, digest, idx, png, png_size, read_safetensors, with_safetensors_header

PROGRAM = Path(sys.argv[1]).resolve()
YARDSTICK = Path(__file__).resolve().parents[2] / "examples/mnist_recogniser/yardstick2.safetensors"
FIRST_YARDSTICK = YARDSTICK.with_name("yardstick1.safetensors")
IMAGES, TEST_IMAGES, MISLABELLED, BATCH, EPOCHS = 300, 100, 20, 64, 2
STEPS = EPOCHS * -(-IMAGES // BATCH)


def write_data_set(folder, mislabelled):
    """Bars; where a bar stands is its label, except for the first so many test images. Files plain and gzip."""
    numbers = random.Random(1)
    folder.mkdir()
    for part, count in (("train", IMAGES), ("t10k", TEST_IMAGES)):
        pixels = bytearray()
        for image in range(count):
            rows = bytearray(28 * 28)
            for row in range(4, 24):
                for column in range(3):
                    rows[28 * row + 2 * (image % 10) + 3 + column] = numbers.randrange(180, 256)
            pixels += rows
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(count, 28, 28, data=pixels)))
        labels = [i % 10 if part == "train" or i >= mislabelled else (i + i // 10 + 1) % 10 for i in range(count)]
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(count, data=labels))


# A digit is the lines that a pen draws, in a box of width 1 and height 1.5.
STROKES = {
    0: [(0.5, 0), (0.9, 0.3), (1, 0.75), (0.9, 1.2), (0.5, 1.5), (0.1, 1.2), (0, 0.75), (0.1, 0.3), (0.5, 0)],
    1: [(0.5, 0), (0.4, 1.5)],
    2: [(0.05, 0.35), (0.3, 0.05), (0.7, 0.05), (0.95, 0.35), (0.85, 0.7), (0, 1.45), (1, 1.45)],
    3: [(0.05, 0.1), (0.7, 0), (0.95, 0.35), (0.4, 0.7), (1, 1.1), (0.7, 1.5), (0, 1.4)],
    7: [(0, 0.05), (1, 0), (0.4, 1.5)],
}


# A 7 of 32x32 pixels, dark on white.
SEVEN_JPEG = base64.b64decode("""
/9j/4AAQSkZJRgABAQAAAQABAAD/2wCEAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYV
pQYEpRUk8BDg4OExETJhUVJk81LTVPT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT//AABEIACAAIAMB
IgACEQEDEQH/xAGiAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCC
NCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqi
o6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+gEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQ
oLEQACAQIEBAMEBwUEBAABAncAAQIDEQQFITEGEkFRB2FxEyIygQgUQpGhscEJIzNS8BVictEKFiQ04SXxFxgZGiYnKCkqNTY3ODk6Q0RFRkdI
SUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqCg4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2dri4+
Tl5ufo6ery8/T19vf4+fr/2gAMAwEAAhEDEQA/APTq5Gb4keGo3ZRcTyYOMpCcH88V11VRpmnqxZbG1DE5JEK5J/KgDkn+KXh9fuw37/7sS/1a
uytLhLyzguogwjnjWRQwwcEZGR681wfjKNNa8WaT4YtkVYVb7RdbBjA9P++Qf++hXoCgKoVQAAMADtQAtR3E0dtbyTzMFjiQu7HsAMk1JWR4q0
281fw9c6fYTxwzTgLukzjbkZHGeooA5v4dQyanf6r4oukIkvJTHDn+FB1/9lH/AAGu7qlounR6Ro9rp8XK28YUn+8e5/E5NXaAP//Z""")


def drawing(digit, width, height, size, left, top, pen):
    """Rows of values from 0, background, to 1: a digit, or the points of a line, `size` wide."""
    def distance(x, y, a, b):
        dx, dy = b[0] - a[0], b[1] - a[1]
        t = max(0, min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy)))
        return ((x - a[0] - t * dx) ** 2 + (y - a[1] - t * dy) ** 2) ** 0.5

    points = [(left + size * x, top + size * y) for x, y in (STROKES[digit] if isinstance(digit, int) else digit)]
    return [[max(0, min(1, pen / 2 + 0.5 - min(distance(x, y, *line) for line in zip(points, points[1:]))))
             for x in range(width)] for y in range(height)]


def grey(rows, background=0, ink=255):
    return [bytes(round(background + (ink - background) * value) for value in row) for row in rows]


def grey_png(rows, background=0, ink=255):
    return png(len(rows[0]), len(rows), grey(rows, background, ink))


class MnistRecogniser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="mnist_recogniser-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data, cls.easy = cls.folder / "data", cls.folder / "easy"
        write_data_set(cls.data, mislabelled=MISLABELLED)
        write_data_set(cls.easy, mislabelled=0)
        cls.first = cls.folder / "first.safetensors"
        cls.first_result = cls.train(cls.first, "--threads", "1")

    @classmethod
    def run_program(cls, *arguments, **options):
        return subprocess.run([PROGRAM, *arguments], env=ENVIRONMENT, cwd=cls.folder, capture_output=True, text=True,
                              timeout=300, **options)

    @classmethod
    def train_command(cls, out, *options):
        return ["train", "--data", cls.data, "--out", out, "--epochs", str(EPOCHS), "--batch", str(BATCH), *options]

    @classmethod
    def train(cls, out, *options, **run_options):
        return cls.run_program(*cls.train_command(out, *options), **run_options)

    def fails(self, result, code, *words):
        """One line on stderr with these words in it, nothing on stdout, and the exit code."""
        self.assertEqual(result.stdout, "")
        lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: compiled")]
        self.assertEqual(len(lines), 1, result.stderr)
        self.assertTrue(lines[0].startswith("mnist_recogniser: error: "), lines[0])
        for word in words:
            self.assertIn(word, lines[0])
        self.assertEqual(result.returncode, code, result.stderr)

    # Training

    def test_training_succeeds_and_says_so_in_plain_text(self):
        result = self.first_result
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        self.assertTrue(all(c == "\n" or c.isprintable() for c in result.stderr), repr(result.stderr))
        for words in ("eigan ", ", 1 thread\n", "300 images", "225,738 parameters",
                      "recipe default: 10 steps, 2 epochs of batches of 64, seed 1", "epoch 1.00  loss ",
                      "epoch 2.00  loss ", "98.5 % ", "99.0 % ", "99.3 % ", "99.5 % "):
            self.assertIn(words, result.stderr)

    def test_milestones_are_those_that_the_looks_show(self):
        result = self.train(self.folder / "milestones.safetensors", "--data", self.easy, "--epochs", "12", "--warp", "0")
        looks = re.findall(r"^epoch .* test ([\d.]+) %  ([\d.]+) s(.*)$", result.stderr, re.MULTILINE)
        self.assertEqual(len(looks), 3 * 4 + 9)
        for text in ("98.5", "99.0", "99.3", "99.5"):
            first = next((look for look in looks if float(look[0]) >= float(text)), None)
            self.assertIsNotNone(first, "a dozen epochs suffice for bars")
            self.assertIn(f"{text} % reached", first[2])
            self.assertEqual(result.stderr.count(f"{text} % reached"), 1)
            self.assertIn(f"{text} % after {first[1]} s", result.stderr)
        self.assertIn("98.5 % not reached, 99.0 % not reached", self.first_result.stderr)

    def test_model_says_what_it_is(self):
        metadata, shapes = read_safetensors(self.first)
        expected = {"format": "eigan", "recipe": "default", "seed": "1", "epochs": str(EPOCHS), "steps": str(STEPS)}
        self.assertEqual(metadata | expected, metadata)
        self.assertEqual([shapes[f"{i}.weight"] for i in (0, 4, 9, 11)],
                         [[32, 1, 5, 5], [64, 32, 3, 3], [128, 1600], [10, 128]])
        self.assertLess(self.first.stat().st_size, 2_000_000)

    def test_result_does_not_depend_on_threads(self):
        for threads in ("2", "3"):
            out = self.folder / f"threads{threads}.safetensors"
            self.assertEqual(self.train(out, "--threads", threads).returncode, 0)
            self.assertEqual(digest(out), digest(self.first))

    def test_every_option_reaches_the_training(self):
        def numbers(*options):
            out = self.folder / "options.safetensors"
            self.assertEqual(self.train(out, *options).returncode, 0)
            content = out.read_bytes()
            (length,) = struct.unpack("<Q", content[:8])
            return digest(content[8 + length :])

        usual = numbers()
        self.assertEqual(numbers("--quiet"), usual)
        for option, value in (("--seed", "2"), ("--epochs", "1.5"), ("--batch", "50"), ("--lr", "0.001"), ("--warm-up", "0.5"),
                              ("--warp", "0.5"), ("--mirror", "0.5"), ("--dropout", "0.5"), ("--held-out", "50"), ("--recipe", "quick")):
            self.assertNotEqual(numbers(option, value), usual, option)
        # The recipe does not undo what stands in front of it.
        self.assertEqual(numbers("--lr", "0.001", "--recipe", "quick"), numbers("--recipe", "quick", "--lr", "0.001"))
        self.assertEqual(numbers("--recipe", "quick", "--warp", "1", "--batch", str(BATCH)), usual)

    def test_held_out_images_take_the_place_of_the_test_images(self):
        result = self.train(self.folder / "held.safetensors", "--held-out", "100")
        self.assertIn("200 images", result.stderr)
        self.assertRegex(result.stderr, r"epoch 2.00  loss [\d.]+  held out [\d.]+ %")
        self.fails(self.train(self.folder / "held.safetensors", "--held-out", "300"), 3, "300 images", "--held-out 300")

    def test_signal_keeps_what_there_is(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            out = self.folder / f"signal{int(number)}.safetensors"
            process = subprocess.Popen([PROGRAM, *self.train_command(out, "--epochs", "1000000")], env=ENVIRONMENT,
                                       stderr=subprocess.PIPE, text=True)
            for line in process.stderr:
                if line.startswith("epoch "):
                    break
            process.send_signal(number)
            rest = process.stderr.read()
            process.stderr.close()
            self.assertEqual(process.wait(timeout=60), 128 + number, rest)
            self.assertRegex(rest, r"stopped after \d+ of 5000000 steps")
            self.assertEqual(self.evaluate("--model", out).returncode, 0)

    def test_divergence_is_noticed(self):
        out = self.folder / "diverged.safetensors"
        self.fails(self.train(out, "--quiet", "--lr", "1e30"), 4, "diverged at step ", "(epoch ", "--lr")
        self.assertFalse(out.exists())

    def test_quiet_is_quiet(self):
        result = self.train(self.folder / "quiet.safetensors", "--quiet")
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertEqual([line for line in result.stderr.splitlines() if not line.startswith("warning: ")], [])

    # Evaluation

    def evaluate(self, *options):
        return self.run_program("evaluate", "--data", self.data, *options)

    def test_evaluation_agrees_with_the_training_and_with_itself(self):
        sheet = self.folder / "mistakes.png"
        result = self.evaluate("--model", self.first, "--out", sheet)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        (accuracy, right, images) = re.search(r"^accuracy ([\d.]+) %: (\d+) of (\d+) images$", result.stdout, re.MULTILINE).groups()
        self.assertEqual((float(accuracy), int(images)), (int(right), TEST_IMAGES))
        self.assertIn(f"it knows {accuracy} % of those test", self.first_result.stderr)

        lines = result.stdout.splitlines()
        start = next(i for i, line in enumerate(lines) if line.endswith("known"))
        table = [line.split() for line in lines[start + 1 : start + 11]]
        self.assertEqual(lines[start].split(), [*"0123456789", "known"])
        self.assertEqual(len({len(line) for line in lines[start + 1 : start + 11]}), 1, "columns are aligned")
        counts = [[0 if cell == "." else int(cell) for cell in row[1:11]] for row in table]
        self.assertEqual([row[0] for row in table], [*"0123456789"])
        self.assertEqual(sum(map(sum, counts)), TEST_IMAGES)
        self.assertEqual(sum(counts[i][i] for i in range(10)), int(right))
        for i, row in enumerate(table):
            self.assertAlmostEqual(float(row[11]), 100 * counts[i][i] / sum(counts[i]), delta=0.006)

        mistakes = re.findall(r"^  image (\d+): a (\d), taken for (\d) with ([\d.]+) %$", result.stdout, re.MULTILINE)
        wrong = TEST_IMAGES - int(right)
        self.assertGreaterEqual(wrong, MISLABELLED // 2)
        self.assertEqual(len(mistakes), 10)
        confidences = [float(mistake[3]) for mistake in mistakes]
        self.assertEqual(confidences, sorted(confidences, reverse=True))
        for image, label, found, _ in mistakes:
            self.assertEqual((self.data / "t10k-labels-idx1-ubyte").read_bytes()[8 + int(image)], int(label))
            self.assertGreater(counts[int(label)][int(found)], 0)
        across = -(-int(1e6 * wrong ** 0.5) // 10 ** 6)
        self.assertEqual(png_size(sheet)[0], 30 * across + 2)

    def test_no_mistakes_no_sheet(self):
        model = self.folder / "good.safetensors"
        self.assertEqual(self.train(model, "--data", self.easy, "--epochs", "30", "--warp", "0").returncode, 0)
        result = self.evaluate("--data", self.easy, "--model", model, "--out", "none.png")
        self.assertEqual((result.returncode, result.stderr), (0, "no mistakes: no sheet is written\n"))
        self.assertIn("\naccuracy 100.00 %: 100 of 100 images\n", result.stdout)
        self.assertNotIn("mistakes", result.stdout)
        self.assertFalse((self.folder / "none.png").exists())

    def test_what_reads_is_named(self):
        for model, name in ((FIRST_YARDSTICK, "yardstick 1"), (YARDSTICK, "yardstick 2")):
            self.assertEqual(self.evaluate("--model", model).stdout.splitlines()[0], name)
        self.assertRegex(self.evaluate("--model", self.first).stdout,
                         r"^a recogniser of version 2 \(checksum [0-9a-f]{16}\)\n")

    # EMNIST

    def write_emnist(self, split, letters=0):
        """The easy data set under EMNIST's names, its images transposed, with images of letters between the others."""
        folder = self.folder / f"emnist-{split}"
        folder.mkdir()
        for part, name, count in (("train", "train", IMAGES), ("t10k", "test", TEST_IMAGES)):
            content = gzip.decompress((self.easy / f"{part}-images-idx3-ubyte.gz").read_bytes())[16:]
            pixels, labels = bytearray(), []
            for i in range(count):
                image = content[784 * i : 784 * (i + 1)]
                pixels += b"".join(image[x::28] for x in range(28))
                labels.append(i % 10)
                if i < letters:
                    pixels += bytes(784)
                    labels.append(10 + i)
            stem = folder / f"emnist-{split}-{name}"
            Path(f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(len(labels), 28, 28, data=pixels)))
            Path(f"{stem}-labels-idx1-ubyte").write_bytes(idx(len(labels), data=labels))
        return folder

    def test_emnist_is_read_upright_and_without_letters(self):
        usual = self.folder / "mnist.safetensors"
        self.assertEqual(self.train(usual, "--data", self.easy).returncode, 0)
        for split, letters in (("digits", 0), ("balanced", 20)):
            out, folder = self.folder / f"{split}.safetensors", self.write_emnist(split, letters)
            self.assertEqual(self.train(out, "--data", folder, "--emnist", split).returncode, 0)
            self.assertEqual(digest(out), digest(usual))
            result = self.evaluate("--data", folder, "--emnist", split, "--model", out)
            self.assertIn(f" of {TEST_IMAGES} images\n", result.stdout)
            self.fails(self.evaluate("--data", folder), 3, "files of EMNIST", "--emnist")
            self.fails(self.evaluate("--data", folder, "--emnist", "byclass"), 3, "no emnist-byclass-test-images-idx3-ubyte")

    def test_transposed_images_are_noticed_under_any_name(self):
        digits = [0, 2, 3, 7] * 20
        images = [grey(drawing(d, 28, 28, 12 + i % 3, 8, 5, 2.5)) for i, d in enumerate(digits)]
        upright = b"".join(b"".join(rows) for rows in images)
        transposed = b"".join(bytes(row[x] for row in rows) for rows in images for x in range(28))
        name = self.write("some", idx(len(digits), 28, 28, data=transposed))
        self.fails(self.recognise(name), 3, "some: these images are transposed", "--emnist")
        result = self.recognise("--emnist", name)
        self.assert_digits(result, *((f"some[{i}]", d) for i, d in enumerate(digits)))
        self.assertEqual(self.recognise(self.write("some", idx(len(digits), 28, 28, data=upright))).stdout, result.stdout)
        name = self.write("emnist-digits-test-images-idx3-ubyte", idx(4, 28, 28, data=transposed[: 4 * 784]))
        self.fails(self.recognise(name), 3, "transposed", "--emnist")
        self.assertEqual(self.recognise("--emnist", name).returncode, 0)

        folder = self.folder / "renamed"
        folder.mkdir()
        for part in ("train", "t10k"):
            (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(len(digits), 28, 28, data=transposed))
            (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(len(digits), data=digits))
        self.fails(self.evaluate("--data", folder), 3, "renamed: these images are transposed, as EMNIST's are")

    # Recognition, by the repository's own weights

    def recognise(self, *files, model=YARDSTICK):
        return self.run_program("recognise", "--model", model, *files)

    def write(self, name, content):
        (self.folder / name).write_bytes(content)
        return name

    def assert_digits(self, result, *expected):
        """A line for each: name, digit and a confidence."""
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        lines = result.stdout.splitlines()
        self.assertEqual(len(lines), len(expected), result.stdout)
        for line, (name, digit) in zip(lines, expected):
            self.assertRegex(line, rf"^{re.escape(name)}: {digit}  \d+\.\d\d %(, not sure: or \d, \d+\.\d\d %)?$")

    def test_drawn_digits_of_any_size_and_place(self):
        shapes = {"small": (20, 24, 8, 5, 6, 2), "large": (300, 200, 70, 200, 20, 12), "tall": (60, 400, 40, 10, 300, 6),
                  "full": (41, 61, 36, 2, 3, 5), "thin": (250, 250, 120, 30, 30, 2.5)}
        expected = [(self.write(f"{digit}_{shape}.png", grey_png(drawing(digit, *numbers))), digit)
                    for digit in STROKES for shape, numbers in shapes.items()]
        self.assert_digits(self.recognise(*(name for name, _ in expected)), *expected)

    def test_colours_do_not_matter(self):
        seven = drawing(7, 60, 60, 24, 10, 12, 4)
        rows = grey(seven)
        def rgb(row, paper, ink, alpha=b""):
            return b"".join(bytes(round(p + (i - p) * v / 255) for p, i in zip(paper, ink)) + alpha for v in row)
        files = {
            "light_on_dark.png": grey_png(seven),
            "dark_on_light.png": grey_png(seven, 255, 0),
            "faint.png": grey_png(seven, 90, 120),
            "faint_dark.png": grey_png(seven, 200, 160),
            "blue_on_yellow.png": png(60, 60, [rgb(row, (250, 240, 90), (20, 20, 160)) for row in rows], kind=2),
            "opaque.png": png(60, 60, [rgb(row, (0, 0, 0), (255, 200, 200), b"\xFF") for row in rows], kind=6),
            "white_on_nothing.png": png(60, 60, [b"".join(bytes([255, v]) for v in row) for row in rows], kind=4),
            "card_on_nothing.png": png(60, 60, [b"".join(bytes([255 - v, 255 * (2 <= x < 58)]) for x, v in enumerate(row))
                                                for row in rows], kind=4),
            "transparent.png": png(60, 60, [b"".join(bytes([0, v]) for v in row) for row in rows], kind=4),
            "sixteen_bits.png": png(60, 60, [b"".join(bytes([v, 0]) for v in row) for row in rows], depth=16),
            "palette.png": png(60, 60, [bytes(v // 128 for v in row) for row in rows], kind=3,
                               PLTE=bytes([255, 255, 255, 0, 60, 0])),
        }
        for name, content in files.items():
            self.write(name, content)
        self.assert_digits(self.recognise(*files), *((name, 7) for name in files))

    def test_images_of_28x28_are_placed_as_others_are(self):
        for digit in STROKES:
            names = [self.write(f"{left}_{top}.png", grey_png(drawing(digit, 28, 28, 12, left, top, 2.5)))
                     for left, top in ((8, 5), (3, 5), (12, 1), (4, 8))]
            lines = self.recognise(*names).stdout.splitlines()
            self.assertEqual({line.split(": ")[1] for line in lines}, {lines[0].split(": ")[1]}, digit)
            self.assertEqual(lines[0].split()[1], str(digit))

    def test_frames_shadows_and_specks_are_left_out(self):
        seven = drawing(7, 60, 60, 22, 16, 12, 4)
        def changed(name, change):
            rows = [bytearray(row) for row in grey(seven, 255, 0)]
            change(rows)
            return self.write(name, png(60, 60, rows))

        def frame(rows, inset, thick, value):
            for i in range(inset, 60 - inset):
                for k in range(inset, inset + thick):
                    for y, x in ((i, k), (k, i), (i, 59 - k), (59 - k, i)):
                        rows[y][x] = value

        def shadow(rows):
            for row in rows[56:]:
                row[:] = bytes(value // 3 for value in row)

        def specks(rows):
            for y, x in ((3, 4), (50, 8), (40, 55)):
                rows[y][x] = 0

        names = [changed("frame.png", lambda rows: frame(rows, 0, 1, 0)), changed("thick.png", lambda rows: frame(rows, 0, 4, 90)),
                 changed("inset.png", lambda rows: frame(rows, 4, 2, 0)), changed("shadow.png", shadow),
                 changed("specks.png", specks)]
        self.assert_digits(self.recognise(*names), *((name, 7) for name in names))

    def test_pictures_of_several_digits_or_none_say_so(self):
        beside = [[max(a, b) for a, b in zip(*rows)] for rows in zip(drawing(2, 80, 50, 20, 8, 10, 3), drawing(7, 80, 50, 20, 45, 9, 3))]
        above = [[max(a, b) for a, b in zip(*rows)] for rows in zip(drawing(2, 50, 90, 20, 14, 6, 3), drawing(7, 50, 90, 20, 14, 48, 3))]
        dot = [[float(20 <= x < 23 and 20 <= y < 23) for x in range(40)] for y in range(40)]
        for name, picture, words in (("beside.png", grey_png(beside, 255, 0), "expected one digit, found several"),
                                     ("above.png", grey_png(above), "expected one digit, found several"),
                                     ("dot.png", grey_png(dot), "expected a digit, found nothing of 5 pixels or more"),
                                     ("paper.png", grey_png([[0] * 40] * 40, 230), "nearly one colour")):
            self.fails(self.recognise(self.write(name, picture)), 3, name, words)

    def test_a_guess_says_that_it_is_one(self):
        # From a 1 with a short serif to a 7, step by step: somewhere in between nobody can tell.
        names = [self.write(f"serif{i}.png", grey_png(drawing([(0.4 - 0.02 * i, 0.1 + 0.1 * (i < 15)), (0.55, 0), (0.5, 1.5)],
                                                              60, 60, 24, 16, 10, 4))) for i in range(20)]
        result = self.recognise(*names)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        guesses = 0
        for line in result.stdout.splitlines():
            digit, share, second, other = re.match(r".*: (\d)  ([\d.]+) %(?:, not sure: or (\d), ([\d.]+) %)?$", line).groups()
            self.assertEqual(float(share) < 80, second is not None, line)
            if second is not None:
                guesses += 1
                self.assertNotEqual(digit, second)
                self.assertLessEqual(float(other), float(share))
        self.assertGreater(guesses, 0, result.stdout)

    def test_jpeg(self):
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"
        upside_down = SEVEN_JPEG[:2] + b"\xFF\xE1" + struct.pack(">H", 2 + len(exif) - 1) + exif % 3 + SEVEN_JPEG[2:]
        self.assert_digits(self.recognise(self.write("seven.jpg", SEVEN_JPEG)), ("seven.jpg", 7))
        self.assertNotIn(": 7 ", self.recognise(self.write("turned.jpg", upside_down)).stdout)
        for name, content, words in (("cut.jpg", SEVEN_JPEG[:-60], ("damaged JPEG", "in the middle")),
                                     ("short.jpg", SEVEN_JPEG[:200], ("damaged JPEG",)),
                                     ("start.jpg", SEVEN_JPEG[:4], ("damaged JPEG",)),
                                     ("declares.jpg", SEVEN_JPEG.replace(b"\x08\0\x20\0\x20", b"\x08\x0f\0\x0f\0"),
                                      ("damaged JPEG", "declares 3840x3840 pixels in"))):
            self.fails(self.recognise(self.write(name, content)), 3, name, *words)

    def test_other_files_are_named_for_what_they_are(self):
        for content, name in ((b"GIF89a", "a GIF file"), (b"BM\x46\0", "a BMP file"), (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP file"),
                              (b"II*\0", "a TIFF file"), (b"\0\0\0\x18ftypheic", "a HEIC file"), (b"%PDF-1.7", "a PDF file"),
                              (b"<svg xmlns=", "an SVG file"), (b"PK\x03\x04", "a ZIP archive"), (b"P5 28 28", "a PGM file")):
            self.fails(self.recognise(self.write("other", content)), 3, "expected PNG, JPEG or IDX", f"found {name}")

    def test_idx_files(self):
        digits = [0, 7, 3]
        small = b"".join(b"".join(grey(drawing(d, 28, 28, 12, 8, 5, 2.5))) for d in digits)
        large = b"".join(b"".join(grey(drawing(d, 50, 40, 20, 20, 4, 4))) for d in digits)
        for name, content in (("plain", idx(3, 28, 28, data=small)), ("packed", gzip.compress(idx(3, 28, 28, data=small))),
                              ("large", idx(3, 40, 50, data=large))):
            self.assert_digits(self.recognise(self.write(name, content)),
                               *((f"{name}[{i}]", d) for i, d in enumerate(digits)))
        self.assert_digits(self.recognise(self.write("one", idx(1, 28, 28, data=small[:784]))), ("one", 0))

    def test_what_is_no_image_is_told_and_the_others_are_recognised(self):
        good = grey_png(drawing(7, 60, 60, 24, 10, 12, 4))
        header = png(60, 60, [])
        bomb = png(4000, 4000, [bytes(4000)] * 4000)
        for name, content, words in (
            ("text.png", b"These are words.", ("expected PNG, JPEG or IDX", "a text file")),
            ("empty.png", b"", ("an empty file",)),
            ("cut.png", good[:-40], ("damaged PNG",)),
            ("no_pixels.png", header, ("damaged PNG",)),
            ("only_signature.png", good[:8], ("damaged PNG",)),
            ("zero.png", png(0, 60, []), ("damaged PNG",)),
            ("vast.png", png(30000, 30000, [b"\0"]), ("30000x30000", "at most 16777216")),
            ("declares.png", png(4000, 4000, [b"\0"]), ("declares 4000x4000 pixels in",)),
            ("long_chunk.png", good[:33] + b"\x40\0\0\0" + good[37:], ("a chunk of 1073741824 bytes at byte 33",)),
            ("empty_chunk.png", good[:33] + b"\0\0\0\0IDAT\x35\xaf\x06\x1e" + good[33:], ("a chunk of 0 bytes",)),
            ("strange_chunk.png", good[:33] + b"\0\0\0\0A\x1b[\x07\0\0\0\0" + good[33:], ("A\\x1b[\\x07 PNG chunk",)),
            ("wide.png", png(1 << 25, 1, [b"\0"]), ()),
            ("bomb.png", png(4, 4, [bytes(4)] * 4)[:33] + bomb[33:], ("one colour",)),
            ("blank.png", png(40, 40, [bytes([200]) * 40] * 40), ("blank.png", "nearly one colour")),
            ("labels", idx(3, data=[1, 2, 3]), ("holds labels",)),
            ("cut_idx", idx(3, 28, 28, data=bytes(100)), ("ends after 100",)),
            ("gzip_of_text", gzip.compress(b"words"), ("gzip_of_text", "not IDX")),
            ("blank_idx", idx(1, 28, 28, data=bytes(784)), ("blank_idx", "nearly one colour")),
        ):
            with self.subTest(name=name):
                files = [self.write("seven.png", good), self.write(name, content), "seven.png"]
                result = self.recognise(*files)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertEqual([line.split()[:2] for line in result.stdout.splitlines()], [["seven.png:", "7"]] * 2)
                self.fails(subprocess.CompletedProcess([], 3, "", result.stderr), 3, f"error: {name}: ", *words)

    def test_one_blank_image_does_not_hide_the_others(self):
        digits = b"".join(b"".join(grey(drawing(d, 28, 28, 12, 8, 5, 2.5))) for d in (0, 7))
        result = self.recognise(self.write("gap", idx(3, 28, 28, data=digits[:784] + bytes(784) + digits[784:])))
        self.assertEqual((result.returncode, [line.split()[:2] for line in result.stdout.splitlines()]),
                         (3, [["gap[0]:", "0"], ["gap[2]:", "7"]]))
        self.assertIn("error: gap[1]: expected a digit", result.stderr)

    def test_files_that_cannot_be_read(self):
        for file, words in (("nowhere.png", ("nowhere.png", "No such file")), (".", ("Is a directory",))):
            self.fails(self.recognise(file), 3, *words)

    def test_a_bomb_does_not_take_the_memory(self):
        def limit_memory():
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

        # Declares 4000 x 4000 pixels and unpacks to 2 GB.
        def chunk(name, data):
            return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

        packer = zlib.compressobj(9)
        data = b"".join([packer.compress(bytes(1 << 20)) for _ in range(2048)] + [packer.flush()])
        bomb = png(4000, 4000, [])[:33] + chunk(b"IDAT", data) + chunk(b"IEND", b"")
        self.assertLess(len(bomb), 3_000_000)
        result = self.run_program("recognise", self.write("bomb.png", bomb),
                                  preexec_fn=limit_memory)
        self.fails(result, 3, "bomb.png", "damaged PNG")

    def test_nothing_raw_reaches_the_terminal(self):
        seven = grey_png(drawing(7, 60, 60, 24, 10, 12, 4))
        result = self.recognise(self.write("a\x1b[2Jb.png", seven), "c\x1b[2Jd.png")
        self.assertEqual(result.returncode, 3)
        self.assertTrue(result.stdout.startswith("a\\x1b[2Jb.png: 7  "), repr(result.stdout))
        self.assertIn("c\\x1b[2Jd.png", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)

    # What goes wrong

    def test_bad_command_lines(self):
        training = ("train", "--data", "data", "--out", "never")
        evaluation = ("evaluate", "--data", "data", "--model", self.first)
        for words, *arguments in (
            (("subcommand",),),
            (("unknown argument 'trian'", "did you mean train?"), "trian"),
            (("--data is required",), "train", "--out", "never"),
            (("--out is required",), "train", "--data", "data"),
            (("'--epoch'", "did you mean --epochs?"), *training, "--epoch", "3"),
            (("--epochs", "above 0", "'0'"), *training, "--epochs", "0"),
            (("--recipe", "quick, short, default or long", "'lang'"), *training, "--recipe", "lang"),
            (("--emnist", "digits", "'letters'"), *training, "--emnist", "letters"),
            (("--warp", "'6'"), *training, "--warp", "6"),
            (("--batch", "'0'"), *training, "--batch", "0"),
            (("--threads", "'0'"), *training, "--threads", "0"),
            (("--seed", "'-1'"), *training, "--seed", "-1"),
            (("--warm-up", "'-1'"), *training, "--warm-up", "-1"),
            (("--lr", "'nan'"), *training, "--lr", "nan"),
            (("--lr", "'\\x1b[2J'"), *training, "--lr", "\x1b[2J"),
            (("--out", ".png", "'mistakes.jpg'"), *evaluation, "--out", "mistakes.jpg"),
            (("FILE is required",), "recognise", "--model", self.first),
        ):
            with self.subTest(arguments=arguments):
                self.fails(self.run_program(*arguments), 2, *words)
        self.assertFalse((self.folder / "never").exists())

    def test_bad_data(self):
        def data_set(name, missing):
            folder = self.folder / name
            shutil.copytree(self.data, folder)
            for file in folder.glob(missing):
                file.unlink()
            return folder

        for folder, words in ((self.folder / "no\x1bwhere", ("no\\x1bwhere", "no such folder")),
                              (data_set("no_training", "train-*"), ("no train-images",)),
                              (data_set("no_test", "t10k-*"), ("no t10k-images",))):
            self.fails(self.run_program("train", "--data", folder, "--out", "never"), 3, *words)
        self.fails(self.run_program("evaluate", "--data", self.folder / "no_test", "--model", self.first), 3,
                   "no t10k-images")
        self.assertFalse((self.folder / "never").exists())

    def test_bad_models(self):
        def reshape(header):
            header["9.weight"]["shape"].reverse()

        cut = self.folder / "cut.safetensors"
        cut.write_bytes(self.first.read_bytes()[:-1])
        reshaped = self.folder / "reshaped.safetensors"
        reshaped.write_bytes(with_safetensors_header(self.first, reshape))
        other = self.folder / "other.safetensors"
        other.write_bytes(with_safetensors_header(self.first, lambda h: h["__metadata__"].update(architecture="Other()")))
        for model, words in ((self.folder / "nothing.safetensors", ("nothing.safetensors", "No such file")),
                             (self.data / "t10k-labels-idx1-ubyte", ("t10k-labels",)), (cut, ("cut.safetensors",)),
                             (reshaped, ("9.weight",)), (other, ("architecture", "Other()"))):
            with self.subTest(model=model.name):
                self.fails(self.evaluate("--model", model), 3, *words)
                self.fails(self.recognise("seven.png", model=model), 3, *words)

    def test_output_that_cannot_be_written(self):
        # At once, not after the training.
        endless = ("--epochs", "1000000")
        self.fails(self.train(self.folder / "missing" / "model", *endless), 1, "missing/model", "folder is not there")
        self.fails(self.train(self.folder, *endless), 1, "a folder, expected the name of a file")
        result = self.evaluate("--model", self.first, "--out", self.folder / "missing" / "sheet.png")
        self.assertEqual(result.returncode, 1)
        self.assertIn("missing/sheet.png", result.stderr)
        with open("/dev/full", "w") as full:
            result = subprocess.run([PROGRAM, "evaluate", "--data", self.data, "--model", self.first], stdout=full,
                                    stderr=subprocess.PIPE, env=ENVIRONMENT, text=True, timeout=60)
        self.assertEqual(result.returncode, 1)
        self.assertIn("standard output: cannot write: No space left", result.stderr)

    def test_full_disk_leaves_no_half_model(self):
        def limit_file_size():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000))

        out = self.folder / "full.safetensors"
        self.fails(self.train(out, "--quiet", preexec_fn=limit_file_size), 1, "full.safetensors", "cannot write")
        self.assertEqual(list(self.folder.glob("full*")), [])

    # What it shows

    def test_help_and_version_go_to_stdout(self):
        for arguments in (["--help"], ["train", "--help"], ["evaluate", "-h"], ["recognise", "--help"]):
            result = self.run_program(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            self.assertIn("\n\nExamples:\n  mnist_recogniser ", result.stdout)
            self.assertLess(result.stdout.index("Examples:"), result.stdout.index("Usage:"))
        help_text = self.run_program("train", "--help").stdout
        for words in ("--lr X ", "--epochs X", "[the recipe's]", "[default]", "[all processors]"):
            self.assertIn(words, help_text)
        self.assertRegex(self.run_program("--version").stdout, r"^mnist_recogniser \(eigan\) \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
