"""Checks the ONNX files that onnx_networks.cpp writes with ONNX's own checker, and runs them in OpenCV.

    scripts/check onnx
    python3 tests/golden/onnx_networks.py build/release/tests/golden.onnx_networks

Every output must agree with eigan's to 1e-5 of the largest; a file with one damaged byte in a weight must not.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import onnx

TOLERANCE = 1e-5


def run(path, x):
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(x)
    return net.forward()


def difference(path, x, y):
    found = run(path, x)
    assert found.shape == y.shape, (found.shape, y.shape)
    return float(np.abs(found - y).max() / max(1.0, np.abs(y).max()))


def main():
    names = ("linear", "activations", "normalised", "images")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run([sys.argv[1], folder], check=True)
        for name in names:
            path = folder / f"{name}.onnx"
            model = onnx.load(path)
            onnx.checker.check_model(model, full_check=True)
            x, y = (np.load(folder / f"{name}.{which}.npy") for which in "xy")
            x, y = (a.reshape(a.shape[0], -1) for a in (x, y))
            apart = difference(path, x, y)
            # The comparison itself: a weight that is a little off must be seen.
            weight = model.graph.initializer[0]
            values = np.frombuffer(weight.raw_data, np.float32).copy()
            values += 0.01
            weight.raw_data = values.tobytes()
            onnx.save(model, folder / "other.onnx")
            seen = difference(folder / "other.onnx", x, y)
            good = apart <= TOLERANCE < seen
            failed += not good
            print(f"{name}: {apart:.2e} from OpenCV {cv2.__version__}, {seen:.2e} with changed weights:"
                  f" {'ok' if good else 'WRONG'}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
