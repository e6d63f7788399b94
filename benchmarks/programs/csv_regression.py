"""examples/programs/csv_regression.cpp with PyTorch: the relative error of the rows held out."""
import copy

import numpy
import torch
from torch import nn

from peer import ROOT, run_torch


def work():
    table = numpy.genfromtxt(ROOT / "examples/programs/drying.csv", delimiter=",", names=True, dtype=numpy.float32)
    x = torch.tensor(numpy.stack([table[name] for name in ("temperature", "humidity", "air_speed", "thickness")], 1))
    y = torch.tensor(numpy.log(table["minutes"]))[:, None]
    x = (x - x[:200].mean(0)) / x[:200].std(0, unbiased=False)

    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
    adam = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.01)
    mse = nn.MSELoss()

    def error(net, rows):
        with torch.no_grad():
            return mse(net(x[rows]), y[rows]).sqrt().item()

    validation, test = slice(200, 250), slice(250, None)
    best, least, waited = copy.deepcopy(model), error(model, validation), 0
    for _ in range(500):
        for rows in torch.randperm(200).split(20):
            adam.zero_grad()
            mse(model(x[rows]), y[rows]).backward()
            adam.step()
        now, waited = error(model, validation), waited + 1
        if now < least:
            least, waited, best = now, 1, copy.deepcopy(model)
        if waited >= 50:
            break
    return error(best, test)


run_torch(work)
