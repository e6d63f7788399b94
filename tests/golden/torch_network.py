#!/usr/bin/python3
"""PyTorch and eigan read each other's files of a network of images with branches, and compute the same.

    sudo apt-get install python3-torch
    /usr/bin/python3 tests/golden/torch_network.py fixtures                        PyTorch writes, by hand
    /usr/bin/python3 tests/golden/torch_network.py check build/release/tests/golden.torch_network    eigan writes

`fixtures` trains a few steps, so that batch normalisation has statistics, and writes the state dictionary, in single and
in half precision, and what the network makes of some images. torch_network_test.cpp reads them. `check` loads into
PyTorch what eigan saved and compares the outputs; above 1e-5 it fails.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from torch import nn

import safetensors_numpy

FOLDER = pathlib.Path(__file__).parent
TOLERANCE = 1e-5


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.body(x)


class SkipConnection(Residual):
    def forward(self, x):
        return torch.cat([x, self.body(x)], 1)


def network():
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, 1, 1), nn.BatchNorm2d(6), nn.LeakyReLU(0.2),
        SkipConnection(nn.Conv2d(6, 8, 4, 2, 1), nn.InstanceNorm2d(8, affine=True), nn.SiLU(),
                       Residual(nn.Conv2d(8, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8, 1e-3), nn.GELU()),
                       nn.ConvTranspose2d(8, 5, 3, 2, 1, 1)),
        nn.PReLU(11), nn.MaxPool2d(2), nn.LayerNorm([11, 4, 6]), nn.Flatten(), nn.Linear(11 * 4 * 6, 7),
        nn.BatchNorm1d(7), nn.Tanh())


def outputs(net, x):
    with torch.no_grad():
        return net.eval()(x).numpy()


def fixtures():
    torch.manual_seed(1)
    net, x = network(), torch.randn(5, 3, 8, 12)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(6):
        optimizer.zero_grad()
        ((net(torch.randn(16, 3, 8, 12) * 2 + 1) - 0.5) ** 2).mean().backward()
        optimizer.step()
    state = {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}
    half = {name: array if array.dtype == "int64" else array.astype("float16") for name, array in state.items()}
    y = outputs(net, x)
    net.load_state_dict({name: torch.tensor(array.astype(state[name].dtype)) for name, array in half.items()})
    metadata = {"torch": torch.__version__}
    safetensors_numpy.write(FOLDER / "torch_network.state.safetensors", state, metadata)
    safetensors_numpy.write(FOLDER / "torch_network.half.safetensors", half, metadata)
    safetensors_numpy.write(FOLDER / "torch_network.safetensors",
                            {"x": x.numpy().reshape(5, -1), "y": y, "y_half": outputs(net, x)}, metadata)


def check(program):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([program, folder], check=True)
        tensors, _ = safetensors_numpy.read(folder / "network.safetensors")
        net = network()
        net.load_state_dict({name: torch.tensor(array) for name, array in tensors.items()})
        x = torch.tensor(numpy.load(folder / "x.npy").reshape(-1, 3, 8, 12))
        y = numpy.load(folder / "y.npy")
        found = outputs(net, x)
        apart = float(numpy.abs(found - y).max() / max(1.0, numpy.abs(y).max()))
        print(f"{apart:.2e} from PyTorch {torch.__version__}: {'ok' if apart <= TOLERANCE else 'WRONG'}")
        return apart > TOLERANCE


if __name__ == "__main__":
    sys.exit(fixtures() if sys.argv[1:] == ["fixtures"] else check(sys.argv[2]))
