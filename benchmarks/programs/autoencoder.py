"""examples/programs/autoencoder.cpp with PyTorch: the part of the power of new signals that the code loses."""
import math

import torch
from torch import nn

from peer import run_torch


def signals(count):
    amplitude, phase = torch.rand(2, count, 1)
    return (0.5 + amplitude) * torch.sin(2 * math.pi * (torch.arange(32) / 16 + phase))


def work():
    model = nn.Sequential(nn.Sequential(nn.Linear(32, 24), nn.Tanh(), nn.Linear(24, 2)),
                          nn.Sequential(nn.Linear(2, 24), nn.Tanh(), nn.Linear(24, 32)))
    x, unseen = signals(256), signals(256)
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 1500)
    mse = nn.MSELoss()
    for _ in range(1500):
        adam.zero_grad()
        mse(model(x), x).backward()
        adam.step()
        schedule.step()
    with torch.no_grad():
        return mse(model(unseen), unseen) / unseen.square().mean()


run_torch(work)
