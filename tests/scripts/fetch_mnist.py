"""Runs scripts/fetch-mnist as a user would, against a server on this machine that has small files of its own. A copy of
the script is told their sums; whatever else it does, and its own sums, are those of the script.

    python3 tests/scripts/fetch_mnist.py ROOT
"""
import functools
import gzip
import hashlib
import http.server
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import zipfile
from pathlib import Path

ROOT = Path(sys.argv[1]).resolve()
ENVIRONMENT = dict(os.environ, no_proxy="*")
FASHION = Path("/usr/share/datasets/fashion-mnist")
FOUR = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
NAMES = {
    "mnist": FOUR,
    "fashion": FOUR,
    "kmnist": FOUR,
    "emnist": [f"emnist-{split}-{part}-{what}" for split in ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
               for part in ("train", "test") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")],
    "qmnist": [f"qmnist-{part}-{what}" for part in ("train", "test") for what in ("images-idx3-ubyte", "labels-idx2-int")],
}


def content(name):
    return f"what {name} holds".encode() * 20


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; half of a file where it ends in .half."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        half = Path(self.translate_path(self.path + ".half"))
        if not half.exists():
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(2 * half.stat().st_size))
        self.end_headers()
        self.wfile.write(half.read_bytes())


class FetchMnist(unittest.TestCase):
    def setUp(self):
        keeper = tempfile.TemporaryDirectory()
        self.addCleanup(keeper.cleanup)
        self.folder = Path(keeper.name)
        self.served = self.folder / "served"
        self.served.mkdir()
        self.data = self.folder / "data"
        handler = functools.partial(Quiet, directory=self.served)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.mirror = f"http://127.0.0.1:{self.server.server_port}"
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.stop)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def publish(self, which):
        """Files of the set's names on the server, and a copy of the script that knows their sums."""
        sums = {}
        if which == "emnist":
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w") as file:
                for name in NAMES[which]:
                    file.writestr(f"gzip/{name}.gz", gzip.compress(content(name)))
            (self.served / "gzip.zip").write_bytes(archive.getvalue())
        for name in NAMES[which]:
            packed = gzip.compress(content(name))
            if which != "emnist":
                (self.served / f"{name}.gz").write_bytes(packed)
            sums[name] = {"raw": sha256(content(name)), "gz": sha256(packed), "md5": hashlib.md5(packed).hexdigest()}
        text = (ROOT / "scripts/fetch-mnist").read_text()
        text = re.sub(r"\b(raw|gz|md5) [0-9a-f]{32,64} ([\w-]+)",
                      lambda line: f"{line[1]} {sums.get(line[2], {}).get(line[1], line[1])} {line[2]}", text)
        if which == "emnist":
            text = re.sub(r"archive_sum=\w+", f"archive_sum={sha256(archive.getvalue())}", text)
        scripts = self.folder / "project/scripts"
        scripts.mkdir(parents=True)
        shutil.copy(ROOT / "scripts/common.sh", scripts)
        (scripts / "fetch-mnist").write_text(text)
        (scripts / "fetch-mnist").chmod(0o755)
        return scripts / "fetch-mnist"

    def run_script(self, *arguments, script=ROOT / "scripts/fetch-mnist", status=0):
        result = subprocess.run([script, *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout if status == 0 and not result.stderr else result.stderr

    def fetch(self, which, script, status=0):
        return self.run_script("--set", which, "--mirror", self.mirror, self.data, script=script, status=status)

    def held(self):
        """What DIR holds, unpacked, by name."""
        packed = {path.name: path.read_bytes() for path in self.data.iterdir()}
        return {name.removesuffix(".gz"): gzip.decompress(data) if name.endswith(".gz") else data for name, data in packed.items()}

    def test_help_names_the_sets_and_their_licences(self):
        said = self.run_script("--help")
        for word in (*NAMES, "CC BY-SA 4.0", "MIT", "BSD", "no licence named", "562 MB"):
            self.assertIn(word, said)

    def test_wrong_calls(self):
        for arguments, why in ((["--set", "cifar"], "there is no set 'cifar'"), (["--set"], "--set needs a value"),
                               (["--sets"], "there is no option --sets"), (["a", "b"], "expected one folder, got a and b")):
            self.assertIn(why, self.run_script(*arguments, status=2))

    def test_every_set_comes_from_a_mirror_once(self):
        for which, names in NAMES.items():
            with self.subTest(which):
                script = self.publish(which)
                self.fetch(which, script)
                self.assertEqual(self.held(), {name: content(name) for name in names})
                for path in self.served.iterdir():
                    path.unlink()
                said = self.fetch(which, script)  # the mirror has nothing any more, and is not asked
                self.assertRegex(said, r"fetch-mnist: [\w-]*MNIST is in ")
                self.assertNotIn("fetching", said)
                shutil.rmtree(self.data)
                shutil.rmtree(self.folder / "project")

    def test_emnist_is_unpacked_by_python_where_there_is_no_unzip(self):
        script = self.publish("emnist")
        programs = self.folder / "programs"
        programs.mkdir()
        for program in ("bash", "dirname", "grep", "sed", "cut", "sha256sum", "mkdir", "rmdir", "mktemp", "rm", "mv", "cp",
                        "curl", "wget", "timeout", "python3"):
            if found := shutil.which(program):
                (programs / program).symlink_to(found)
        result = subprocess.run([shutil.which("bash"), script, "--set", "emnist", "--mirror", self.mirror, self.data],
                                env=dict(ENVIRONMENT, PATH=str(programs)), capture_output=True, text=True, timeout=300)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(set(self.held()), set(NAMES["emnist"]))

    def test_what_is_missing_alone_is_fetched(self):
        script = self.publish("kmnist")
        self.data.mkdir()
        (self.data / f"{FOUR[0]}.gz").write_bytes((self.served / f"{FOUR[0]}.gz").read_bytes())
        (self.data / FOUR[1]).write_bytes(content(FOUR[1]))
        (self.served / f"{FOUR[0]}.gz").unlink()
        (self.served / f"{FOUR[1]}.gz").unlink()
        self.assertIn("kept unchecked", self.fetch("kmnist", script))
        self.assertEqual(self.held(), {name: content(name) for name in FOUR})

    def test_no_mirror_answers(self):
        self.stop()
        self.stop = lambda: None
        for which in NAMES:
            with self.subTest(which):
                said = self.run_script("--set", which, "--mirror", self.mirror, self.data / "new", status=1)
                last = said.rstrip("\n").split("\n")[-1]
                self.assertRegex(last, r"^fetch-mnist: could not get [\w-]*MNIST: .* and the network, run this again; or put ")
                self.assertFalse((self.data / "new").exists())
        self.data.mkdir(exist_ok=True)
        (self.data / "mine").write_text("kept")
        self.run_script("--set", "emnist", "--mirror", self.mirror, self.data, status=1)
        self.assertEqual([path.name for path in self.data.iterdir()], ["mine"])

    def test_false_files_are_refused(self):
        for which in NAMES:
            with self.subTest(which):
                self.publish(which)
                said = self.run_script("--set", which, "--mirror", self.mirror, self.data, status=1)
                self.assertRegex(said, r"that was not [\w-]*MNIST's [\w.-]+: its (SHA-256|MD5) is \w+, expected \w{32,64}\n")
                self.assertFalse(self.data.exists())
                shutil.rmtree(self.folder / "project")

    def test_a_download_that_breaks_leaves_nothing(self):
        for which in ("kmnist", "emnist"):
            with self.subTest(which):
                script = self.publish(which)
                for path in list(self.served.iterdir()):
                    path.rename(f"{path}.half")
                self.fetch(which, script, status=1)
                self.assertFalse(self.data.exists())
                shutil.rmtree(self.folder / "project")

    def test_an_archive_without_all_files_leaves_nothing(self):
        script = self.publish("emnist")
        with zipfile.ZipFile(self.served / "gzip.zip", "w") as file:
            for name in NAMES["emnist"][:-1]:
                file.writestr(f"gzip/{name}.gz", gzip.compress(content(name)))
        known = sha256((self.served / "gzip.zip").read_bytes())
        script.write_text(re.sub(r"archive_sum=\w+", f"archive_sum={known}", script.read_text()))
        self.assertIn(f"the archive holds no {NAMES['emnist'][-1]}\n", self.fetch("emnist", script, status=1))
        self.assertFalse(self.data.exists())

    def test_a_wrong_file_in_the_folder_is_left_alone(self):
        self.data.mkdir()
        for which in ("mnist", "fashion", "kmnist", "qmnist"):
            with self.subTest(which):
                wrong = self.data / f"{NAMES[which][0]}.gz"
                wrong.write_bytes(b"mine")
                said = self.run_script("--set", which, self.data, status=3)
                self.assertIn(f"{wrong} is not ", said)
                self.assertIn("Move it away or choose another folder", said)
                self.assertEqual(wrong.read_bytes(), b"mine")
                wrong.unlink()

    @unittest.skipUnless(FASHION.is_dir(), "skipped: Debian's package dataset-fashion-mnist is not here")
    def test_the_true_fashion_mnist(self):
        self.run_script("--set", "fashion", self.data)  # from the package
        packed = {name: (FASHION / f"{name}.gz").read_bytes() for name in FOUR}
        self.assertEqual(self.held(), {name: gzip.decompress(data) for name, data in packed.items()})
        shutil.rmtree(self.data)
        for name, data in packed.items():
            (self.served / f"{name}.gz").write_bytes(data)
        self.run_script("--set", "fashion", "--mirror", self.mirror, self.data)
        self.assertEqual(set(self.held()), set(FOUR))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
