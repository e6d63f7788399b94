#!/usr/bin/python3
"""Does PyTorch draw the same images as eigan? Loads a saved generator into the torch.nn.Sequential that the file
describes, gives it the same z, and compares: prints the largest difference and fails if it is above 1e-5.

    build/release/bin/mnist_gan sample --model FILE --count 64 --seed 1 --out images.npy --save-z z.npy
    /usr/bin/python3 tests/golden/same_images.py FILE z.npy images.npy
"""
import argparse
import ast
import sys

import numpy
import torch

import safetensors_numpy

TOLERANCE = 1e-5
LAYERS = ("Linear", "LeakyReLU", "ReLU", "Tanh", "Sigmoid", "Dropout")


def sequential(architecture):
    """The network of a description such as `Linear(in_features=2, out_features=1), Sigmoid()`."""
    layers = []
    for call in ast.parse(f"[{architecture}]", mode="eval").body.elts:
        if call.func.id not in LAYERS:
            raise ValueError(f"no layer of eigan: {call.func.id}")
        options = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        layers.append(getattr(torch.nn, call.func.id)(**options))
    return torch.nn.Sequential(*layers)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="generator.safetensors")
    parser.add_argument("z", help=".npy, [count, latent]")
    parser.add_argument("images", help=".npy, [count, pixels]: what eigan made of z")
    arguments = parser.parse_args()

    tensors, metadata = safetensors_numpy.read(arguments.model)
    network = sequential(metadata["architecture"])
    network.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in tensors.items()})
    network.eval()
    z, images = numpy.load(arguments.z), numpy.load(arguments.images)
    with torch.no_grad():
        expected = network(torch.from_numpy(z)).numpy()
        exact = network.double()(torch.from_numpy(z).double()).numpy()

    if images.shape != expected.shape:
        sys.exit(f"{arguments.images}: expected shape {expected.shape}, found {images.shape}")

    def largest_difference(a, b):
        return float(numpy.abs(a - b).max())

    difference = largest_difference(images, expected)
    parameters = sum(array.size for array in tensors.values())
    print(f"{len(images)} images of {parameters} parameters, pixels from {images.min():.6f} to {images.max():.6f}")
    print(f"largest difference between eigan and PyTorch {torch.__version__}: {difference:.3g}")
    print(f"from PyTorch in float64: eigan {largest_difference(images, exact):.3g}, ", end="")
    print(f"PyTorch in float32 {largest_difference(expected, exact):.3g}")
    if not difference <= TOLERANCE:  # a NaN, too
        sys.exit(f"expected at most {TOLERANCE}")


if __name__ == "__main__":
    main()
