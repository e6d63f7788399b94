"""Runs image_to_image as a user would, on a few made-up pictures: what it trains, writes, says, and refuses.

    python3 tests/examples/image_to_image.py build/release/bin/image_to_image
"""
import json
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import (ENVIRONMENT, digest, idx, in_its_middle, png, png_size, read_safetensors, rest_of,
                     with_safetensors_header)

PROGRAM = Path(sys.argv[1]).resolve()
RECOGNISERS = Path(__file__).resolve().parents[2] / "examples/mnist_recogniser"
PAIRS, SIDE = 20, 16
SMALL = ["--size", str(SIDE), "--g-channels", "4,8", "--blocks", "1", "--d-channels", "4", "--d-levels", "1", "--batch", "4",
         "--threads", "1", "--quiet"]


def picture(kind, seed, side=SIDE):
    """An outline (kind a), or the same square filled with a colour (kind b)."""
    numbers = random.Random(seed)
    top, left, size = numbers.randrange(1, 5), numbers.randrange(1, 5), numbers.randrange(6, 10)
    rows = []
    for y in range(side):
        row = b""
        for x in range(side):
            inside = top <= y < top + size and left <= x < left + size
            edge = inside and (y in (top, top + size - 1) or x in (left, left + size - 1))
            row += (b"\0\0\0" if edge else b"\xff\xff\xff") if kind == "a" else (
                b"\0\0\0" if edge else b"\xe0\x40\x20" if inside else b"\xff\xff\xff")
        rows.append(row)
    return rows


def write_pairs(folder, count=PAIRS, side=SIDE):
    folder.mkdir()
    for i in range(count):
        rows = [a + b for a, b in zip(picture("a", i, side), picture("b", i, side))]
        (folder / f"{i:03}.png").write_bytes(png(2 * side, side, rows, kind=2))


def write_task(folder, task, parts, side=SIDE, grey=False):
    """A prepared task; parts: how many pairs of train, validation and test. Grey pictures are unpaired and have labels."""
    folder.mkdir()
    channels = 1 if grey else 3
    about = {"task": task, "a": "outlines", "b": "squares", "licence": "nobody's", "height": side, "width": side,
             "a_channels": channels, "b_channels": channels}
    for number, (part, count) in enumerate(parts.items()):
        about.update({f"{part}_paired": int(not grey), f"{part}_a": count, f"{part}_b": count})
        for kind in "ab":
            pictures = [b"".join(picture(kind, 1000 * number + i, side))[:: 3 // channels] for i in range(count)]
            (folder / f"{part}-{kind}.idx4-ubyte").write_bytes(
                struct.pack(">4B4I", 0, 0, 8, 4, count, side, side, channels) + b"".join(pictures))
            if grey:
                (folder / f"{part}-{kind}-labels.idx1-ubyte").write_bytes(idx(count, data=[(i + 3 * "ab".index(kind)) % 10 for i in range(count)]))
    (folder / "task.json").write_text(json.dumps(about))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.holder.name)
        cls.pairs = cls.folder / "pairs"
        write_pairs(cls.pairs)
        for kind in "ab":
            (cls.folder / kind).mkdir()
            for i in range(12):
                (cls.folder / kind / f"{kind}{i}.png").write_bytes(png(SIDE, SIDE, picture(kind, 100 + i), kind=2))

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def call(self, *arguments, code=0):
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder,
                              env=ENVIRONMENT, timeout=600)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def train(self, out, *arguments, code=0, data=("--pairs", "pairs")):
        return self.call("train", *data, "--out", out, *SMALL, *arguments, code=code)

    def stop_and_go_on(self, data, options, files):
        """A run that is stopped amid the fall of the learning rate and resumed leaves the bits of one that is not."""
        self.train("whole", *options, data=data)
        command = [PROGRAM, "train", *data, "--out", "parts", *SMALL[:-1], *options, "--checkpoint-every", "1"]
        process, _ = in_its_middle(*command, epochs=20, cwd=self.folder)
        process.send_signal(signal.SIGTERM)
        rest = rest_of(process)
        self.assertEqual(process.wait(timeout=600), 128 + signal.SIGTERM, rest)
        self.train("parts", *options, "--checkpoint-every", "1", "--resume", data=data)
        for name in files:
            self.assertEqual(digest(self.folder / "whole" / name), digest(self.folder / "parts" / name), name)

    def refuse(self, *arguments, code=3, words=()):
        """One line, which says all of this."""
        text = self.call(*arguments, code=code)
        self.assertTrue(text.startswith("image_to_image: error: ") and text.count("\n") == 1, text)
        for word in words:
            self.assertIn(str(word), text)


class TestPairs(Case):
    def test_a_folder_of_pairs_trains_and_translates(self):
        self.train("run", "--epochs", "100", "--lr", "0.005", "--samples-every", "20")
        run = self.folder / "run"
        for name in ("a_to_b.safetensors", "report.html", "samples.png", "losses.csv", "metrics.csv", "result.json",
                     "evaluation.json", "samples/epoch_020.png"):
            self.assertTrue((run / name).exists(), name)
        metadata, _ = read_safetensors(run / "a_to_b.safetensors")
        self.assertEqual((metadata["task"], metadata["direction"], metadata["norm"], metadata["multiple"]),
                         ("own pairs", "a to b", "instance", "4"))
        rows = json.loads((run / "evaluation.json").read_text())["rows"]
        scores = {row["name"]: row for row in rows}
        self.assertLess(scores["translations"]["l1"], scores["as they are"]["l1"] / 2)
        self.assertLess(scores["translations"]["l1"], scores["nearest neighbour"]["l1"])

        said = self.call("translate", "run/a_to_b.safetensors", "a", "pairs/000.png", "--out", "made")
        self.assertIn(f"learnt {SIDE}x{SIDE} pictures, and 1 of 13 are of another size", said)
        said = self.call("translate", "run/a_to_b.safetensors", "a", "--out", "made-again")
        self.assertNotIn("another size", said)
        self.assertEqual(sorted(path.name for path in (self.folder / "made").iterdir()),
                         sorted([f"a{i}.png" for i in range(12)] + ["000.png"]))
        self.assertEqual(png_size(self.folder / "made/a0.png"), (SIDE, SIDE))
        self.assertEqual(png_size(self.folder / "made/000.png"), (2 * SIDE, SIDE))  # any legal size
        self.refuse("translate", "run/a_to_b.safetensors", "a", "--out", "made", words=["a0.png", "--force"])

    def test_a_run_says_what_it_holds(self):
        for method in ("pix2pix", "cyclegan"):
            said = self.call("train", "--pairs", "pairs", "--method", method, "--out", method, *SMALL[:-1], "--epochs", 1)
            self.assertIn(f"picture.png --size {SIDE} --out", said)
            self.assertEqual("b_to_a.safetensors" in said, method == "cyclegan", said)

    def test_what_is_no_input_gets_one_line(self):
        self.train("model", "--epochs", "1")
        model = "model/a_to_b.safetensors"
        (self.folder / "text.png").write_text("no picture")
        (self.folder / "tiny.png").write_bytes(png(3, 3, picture("a", 1, 3), kind=2))
        (self.folder / "odd.png").write_bytes(png(18, 18, picture("a", 1, 18), kind=2))
        (self.folder / "empty").mkdir()
        self.refuse("translate", model, "text.png", "--out", "no", words=["text.png"])
        self.refuse("translate", model, "tiny.png", "--out", "no", words=["tiny.png", "3x3", "nearest"])
        self.refuse("translate", model, "odd.png", "--out", "no", words=["odd.png", "18x18", "multiples of 4", f"--size {SIDE}"])
        self.refuse("translate", model, "empty", "--out", "no", words=["empty"])
        self.refuse("translate", model, "absent.png", "--out", "no", words=["absent.png"])
        self.refuse("translate", "text.png", "a", "--out", "no", words=["text.png"])
        eight_bits = Path(__file__).parents[2] / "examples/page/models/edges2fashion.safetensors"
        self.refuse("translate", eight_bits, "a", "--out", "no", words=["edges2fashion", "eigan_page full"])
        self.refuse("translate", model, "a", "--out", "no", "--noise", 1, words=["dropout"])
        self.refuse("evaluate", model, "--data", "empty", words=["empty"])
        self.refuse("train", "--pairs", "empty", "--out", "no", words=["empty"])
        self.refuse("train", "--pairs", "absent", "--out", "no", words=["absent"])
        for recogniser in ("text.png", RECOGNISERS / "yardstick2.safetensors"):  # before it trains
            self.refuse("train", "--pairs", "pairs", "--out", "no", "--recogniser", recogniser, words=[recogniser])
            self.refuse("train", "--a", "a", "--b", "b", "--out", "no", "--back-recogniser", recogniser, words=[recogniser])
        self.refuse("train", "--pairs", "pairs", "--out", "no", "--recogniser", recogniser, words=["64x64 in colour", "no labels"])
        self.refuse("train", "--out", "no", code=2, words=["--pairs"])
        self.refuse("train", "--a", "a", "--out", "no", code=2, words=["--b"])
        self.refuse("train", "sketches2cats", "--out", "no", code=2, words=["edges2fashion"])
        (self.folder / "odd").mkdir()
        (self.folder / "odd/lonely.png").write_bytes(png(15, 16, picture("a", 1), kind=2))
        self.refuse("train", "--pairs", "odd", "--out", "no", words=["lonely.png"])

        other = self.folder / "other.safetensors"
        other.write_bytes(with_safetensors_header(
            self.folder / model, lambda header: header["__metadata__"].update(network="generator")))
        self.refuse("translate", other, "a", "--out", "no", words=["translator", "generator"])
        self.assertFalse((self.folder / "no").exists())

    def test_a_grey_model_refuses_colour(self):
        self.train("grey", "--epochs", "1", "--a-channels", "1")
        self.call("translate", "grey/a_to_b.safetensors", "a", "--out", "from-grey")
        self.refuse("translate", "grey/a_to_b.safetensors", "b", "--out", "from-colour", words=["grey", "colour"])

    def test_another_task_s_data_are_refused(self):
        self.train("own", "--epochs", "1")
        data = self.folder / "prepared"
        data.mkdir()
        (data / "task.json").write_text("{}")
        self.refuse("evaluate", "own/a_to_b.safetensors", "--data", "prepared", words=["prepared"])

    def test_ablations_and_norms(self):
        for name, options in {"l1": ["--loss", "l1"], "gan": ["--loss", "gan"], "plain": ["--generator", "encoder-decoder"],
                              "batch": ["--norm", "batch"], "image": ["--norm", "batch", "--statistics", "image"],
                              "noisy": ["--dropout", "0.5"], "back": ["--reverse"],
                              "change": ["--output", "change"], "full": ["--generator", "full-unet"],
                              "average": ["--average", "0.9"], "collage": ["--collage", "yes"]}.items():
            with self.subTest(name):
                self.train(name, "--epochs", "1", *options)
                self.call("translate", f"{name}/a_to_b.safetensors", "a/a0.png", "--out", f"{name}-made")
        self.train("as-it-is", "--epochs", "1")
        models = {name: digest(self.folder / name / "a_to_b.safetensors") for name in ("as-it-is", "full", "average", "collage")}
        self.assertEqual(len(set(models.values())), 4, models)
        # An average is of what the training makes, which it leaves alone.
        for name, same in {"average": True, "collage": False}.items():
            self.assertEqual((self.folder / "as-it-is/losses.csv").read_text() == (self.folder / name / "losses.csv").read_text(), same)
        metadata, _ = read_safetensors(self.folder / "image/a_to_b.safetensors")
        self.assertEqual((metadata["norm"], metadata["statistics"]), ("batch", "image"))
        self.assertNotIn("BatchNorm", metadata["architecture"])
        self.assertEqual(read_safetensors(self.folder / "back/a_to_b.safetensors")[0]["direction"], "b to a")
        self.refuse("train", "--pairs", "pairs", "--a-channels", 1, "--out", "no", "--output", "change",
                    words=["found 1 and 3"])

        made = [self.folder / f"noise{i}/a0.png" for i in range(3)]
        for path, seed in zip(made, (1, 1, 2)):
            self.call("translate", "noisy/a_to_b.safetensors", "a/a0.png", "--out", path.parent.name, "--noise", seed)
        self.assertEqual(digest(made[0]), digest(made[1]))
        self.assertNotEqual(digest(made[0]), digest(made[2]))
        self.refuse("translate", "batch/a_to_b.safetensors", "a/a0.png", "--out", "no", "--noise", 1, words=["dropout"])

    def test_a_task_trains_and_its_worst_translations_are_shown(self):
        write_task(self.folder / "task", "flat2shaded", {"train": 20, "validation": 5, "test": 10})
        self.train("shaded", "--epochs", "1", data=("flat2shaded", "--data", "task"))
        model = "shaded/a_to_b.safetensors"
        self.assertEqual(read_safetensors(self.folder / model)[0]["task"], "flat2shaded")
        text = self.call("evaluate", model, "--data", "task", "--worst", "worst.png")
        self.assertRegex(text, r"10 test pictures, outlines to squares; the worst tenth has \d+ % of the L1, and \d+ % of the "
                               r"squared error; pictures' mean colours differ by \d+ % of the L1\n")
        # Three rows of four examples, which are of three pictures each.
        self.assertEqual(png_size(self.folder / "worst.png"), (4 * (3 * (SIDE + 2) + 8) - 8 + 2, 3 * (SIDE + 2) + 2))
        self.call("evaluate", model, "--data", "task", "--validation", "--worst", "few.png")
        self.assertNotEqual(digest(self.folder / "few.png"), digest(self.folder / "worst.png"))

    def test_a_reversed_training_is_scored_in_its_own_direction(self):
        write_task(self.folder / "turnable", "flat2shaded", {"train": 20, "validation": 5, "test": 10})
        text = self.call("train", "flat2shaded", "--data", "turnable", "--out", "turned", *SMALL[:-1], "--epochs", "1", "--reverse")
        there = self.call("train", "flat2shaded", "--data", "turnable", "--out", "there", *SMALL[:-1], "--epochs", "1")
        scores = self.call("evaluate", "turned/a_to_b.safetensors", "--data", "turnable")
        self.assertIn("10 test pictures, squares to outlines", text)
        self.assertIn("10 test pictures, outlines to squares", there)
        self.assertIn(scores, text)
        as_it_is = [re.search(r"(?m)^real pictures.*$", words)[0] for words in (text, there)]
        self.assertNotEqual(*as_it_is)
        # Grey into colour: their other direction would not fit the model.
        self.train("grey-turned", "--epochs", "1", "--a-channels", "1", "--reverse")

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        options = ["--epochs", "100", "--flat", "0.1", "--norm", "batch", "--dropout", "0.5", "--generator", "full-unet",
                   "--average", "0.9", "--collage", "yes"]
        self.stop_and_go_on(("--pairs", "pairs"), options, ["a_to_b.safetensors", "losses.csv"])

    def test_threads_do_not_matter(self):
        options = ["--epochs", "2", "--dropout", "0.5", "--generator", "full-unet", "--average", "0.9",
                   "--collage", "yes"]
        self.train("one", *options)
        self.train("three", *options, "--threads", "3")
        self.assertEqual(digest(self.folder / "one/a_to_b.safetensors"), digest(self.folder / "three/a_to_b.safetensors"))


class TestUnpaired(Case):
    DATA = ("--a", "a", "--b", "b")

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        options = ["--epochs", "80", "--pool", "5", "--flat", "0.2", "--average", "0.9"]  # the pool is full by then
        self.stop_and_go_on(self.DATA, options, ["a_to_b.safetensors", "b_to_a.safetensors", "losses.csv"])

    def test_both_directions_and_no_cycle(self):
        self.train("cycle", "--epochs", "2", data=self.DATA)
        self.train("none", "--epochs", "1", "--cycle", "0", "--pool", "0", data=self.DATA)
        for name, kind in (("a_to_b", "a"), ("b_to_a", "b")):
            self.call("translate", f"cycle/{name}.safetensors", kind, "--out", f"cycle-{name}")
            self.assertEqual(len(list((self.folder / f"cycle-{name}").iterdir())), 12)
        self.refuse("train", *self.DATA, "--out", "no", "--norm", "batch", code=2, words=["--norm"])
        self.refuse("train", *self.DATA, "--out", "no", "--method", "pix2pix", code=2, words=["--method", "cyclegan"])
        self.refuse("train", "--pairs", "pairs", "--out", "no", "--back-recogniser", "any", code=2,
                    words=["--back-recogniser", "cyclegan"])
        for few in ("--a", "--b"):  # a tenth of three pictures is none
            (self.folder / f"few{few}").mkdir()
            for i in range(3):
                (self.folder / f"few{few}/{i}.png").write_bytes(png(SIDE, SIDE, picture(few[2], i), kind=2))
            self.train(f"few-run{few}", "--epochs", "1", few, f"few{few}", data=self.DATA)
        text = self.call("train", *self.DATA, "--out", "small", *SMALL[:-1], "--epochs", "1")
        self.assertIn("residual of 4-8 channels", text)

    def test_threads_do_not_matter(self):
        self.train("one", "--epochs", "2", "--average", "0.9", data=self.DATA)
        self.train("two", "--epochs", "2", "--average", "0.9", "--threads", "2", data=self.DATA)
        self.assertEqual(digest(self.folder / "one/b_to_a.safetensors"), digest(self.folder / "two/b_to_a.safetensors"))


class TestMeaning(Case):
    """--semantic. Recognisers of digits say something of any grey 28x28 pixels."""
    DATA = ("--a", "a", "--b", "b", "--a-channels", "1", "--b-channels", "1")
    READERS = ("--recogniser", RECOGNISERS / "yardstick2.safetensors",
               "--back-recogniser", RECOGNISERS / "yardstick1.safetensors")
    OPTIONS = ("--size", "28", "--semantic", "0.5", *READERS)
    TASK = ("mnist2fonts", "--data", "digits")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        write_task(cls.folder / "digits", "mnist2fonts", {"train": 12, "validation": 5, "test": 5}, side=28, grey=True)

    def test_a_stopped_run_goes_on_to_the_same_bits(self):
        self.stop_and_go_on(self.DATA, [*self.OPTIONS, "--epochs", "80"],
                            ["a_to_b.safetensors", "b_to_a.safetensors", "losses.csv"])

    def test_threads_do_not_matter(self):
        self.train("one", *self.OPTIONS, "--epochs", "2", data=self.DATA)
        self.train("two", *self.OPTIONS, "--epochs", "2", "--threads", "2", data=self.DATA)
        for name in ("a_to_b.safetensors", "b_to_a.safetensors", "losses.csv"):
            self.assertEqual(digest(self.folder / "one" / name), digest(self.folder / "two" / name), name)

    def test_it_is_measured_and_changes_what_is_learnt(self):
        models = {}
        for weight in ("0", "0.5", "2"):
            self.train(f"w{weight}", *self.READERS, "--semantic", weight, "--epochs", "1", data=self.TASK)
            models[weight] = digest(self.folder / f"w{weight}/a_to_b.safetensors")
            columns = (self.folder / f"w{weight}/losses.csv").read_text().split("\n")[0].split(",")
            self.assertEqual("semantic" in columns, weight != "0")
        self.assertEqual(len(set(models.values())), 3, models)
        self.train("nobody", "--semantic", "0", "--epochs", "1", data=self.TASK)
        self.assertEqual(digest(self.folder / "nobody/a_to_b.safetensors"), models["0"])

    def test_resume_needs_the_same_readers(self):
        self.train("run", *self.OPTIONS, "--epochs", "1", data=self.DATA)
        one, two = (RECOGNISERS / f"yardstick{n}.safetensors" for n in (1, 2))
        for options, words in (((*self.OPTIONS, "--recogniser", one), (' recogniser "yardstick 1", found "yardstick 2"',)),
                               ((*self.OPTIONS, "--back-recogniser", two), ('back_recogniser "yardstick 2", found "yardstick 1"',)),
                               ((*self.OPTIONS, "--semantic", "1"), ("semantic 1", "found 0.5")),
                               (("--size", "28", "--semantic", "0"), ("semantic 0", "found 0.5"))):
            text = self.train("run", *options, "--epochs", "1", "--resume", data=self.DATA, code=1)
            for word in ("--resume needs", *words):
                self.assertIn(word, text)

    def test_each_way_is_read_by_its_own_recogniser(self):
        for name, options, ways in (("ways", (), ("outlines to squares", "squares to outlines")),
                                    ("turned", ("--reverse",), ("squares to outlines", "outlines to squares"))):
            text = self.call("train", *self.TASK, "--out", name, *SMALL[:-1], "--epochs", "1", *self.READERS, *options)
            for way, recogniser in zip(ways, ("yardstick 2", "yardstick 1")):
                self.assertIn(f"5 test pictures, {way}; labels read by {recogniser}\n", text)

    def test_translations_have_their_sources_labels(self):
        # Whatever is read off a translation, one label is right; those of the target do not matter.
        data, scores = self.folder / "relabelled", self.folder / "scores.json"
        write_task(data, "mnist2fonts", {"train": 12, "validation": 5, "test": 5}, side=28, grey=True)
        self.train("labels-run", *self.READERS, "--epochs", "1", data=self.TASK)
        for model, kind in (("a_to_b", "a"), ("b_to_a", "b")):
            read = 0
            for label in range(10):
                for other in "ab":
                    (data / f"test-{other}-labels.idx1-ubyte").write_bytes(idx(5, data=[label if other == kind else 0] * 5))
                self.call("evaluate", f"labels-run/{model}.safetensors", "--data", data, *self.READERS[:2], "--json", scores)
                read += json.loads(scores.read_text())["rows"][0]["label_read"]
            self.assertAlmostEqual(read, 1)

    def test_a_task_of_digits_wants_it(self):
        self.train("digits-run", *self.READERS, "--epochs", "1", data=self.TASK)
        self.assertEqual(json.loads((self.folder / "digits-run/config.json").read_text())["semantic"], 1)
        self.assertIn("label_read", json.loads((self.folder / "digits-run/evaluation.json").read_text())["rows"][0])
        for readers in ((), self.READERS[:2], self.READERS[2:]):
            self.refuse("train", *self.TASK, "--out", "no", *readers, code=2,
                        words=["--semantic", "expected 0, or --recogniser FILE and --back-recogniser FILE"])

    def test_what_cannot_be_read_gets_one_line(self):
        self.refuse("train", *self.DATA, "--out", "no", *self.OPTIONS, "--size", "32", words=["--semantic", "28x28", "32x32 grey"])
        self.refuse("train", *self.DATA[:4], "--out", "no", *self.OPTIONS, words=["--semantic", "28x28 in colour"])
        self.refuse("train", "--pairs", "pairs", "--out", "no", *self.OPTIONS, code=2, words=["--semantic", "pix2pix"])
        self.refuse("train", *self.DATA, "--out", "no", "--semantic", "-1", code=2, words=["--semantic"])
        self.assertFalse((self.folder / "no").exists())


class TestHelp(Case):
    def test_help_begins_with_examples(self):
        for command in ((), ("train",), ("translate",), ("evaluate",), ("prepare",)):
            self.assertIn("Examples:\n  image_to_image ", self.call(*command, "--help"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
