"""examples/programs/server.cpp with PyTorch: the largest difference from the answers of the file."""
import sys
import threading

import torch
from torch import nn

from peer import ROOT, run_torch

sys.path.append(str(ROOT / "tests/golden"))
import safetensors_numpy


def tensors(name):
    return {key: torch.tensor(value) for key, value in safetensors_numpy.read(ROOT / "tests/golden" / name)[0].items()}


def work():
    model = nn.Sequential(nn.Linear(20, 33), nn.LeakyReLU(0.2), nn.Linear(33, 17), nn.ReLU(), nn.Linear(17, 9), nn.Tanh(),
                          nn.Linear(9, 3), nn.Sigmoid())
    model.load_state_dict(tensors("mlp_state.float32.safetensors"))
    file = tensors("mlp.float32.safetensors")
    answers = torch.empty_like(file["y"])

    def serve(first):
        with torch.no_grad():
            for j in range(first, len(answers), 4):
                answers[j] = model(file["x"][j])

    threads = [threading.Thread(target=serve, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (answers - file["y"]).abs().max()


run_torch(work)
