"""examples/programs/siamese.cpp with PyTorch: how many of 500 pairs are told."""
import math

import torch
from torch import nn

from peer import run_torch


def points(count):
    kinds = torch.randint(3, (count,))
    radius, angle = 1 + kinds + 0.2 * (torch.rand(count) - 0.5), 2 * math.pi * torch.rand(count)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), kinds


def work():
    model = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 2))
    adam = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(1500):
        (x, kinds_x), (y, kinds_y) = points(64), points(64)
        d = (model(x) - model(y)).norm(dim=1) + 1e-6
        adam.zero_grad()
        torch.where(kinds_x == kinds_y, d.square(), (1 - d).clamp(min=0).square()).mean().backward()
        adam.step()
    (p, kinds_p), (q, kinds_q) = points(500), points(500)
    with torch.no_grad():
        return (((model(p) - model(q)).norm(dim=1) < 0.5) == (kinds_p == kinds_q)).sum()


run_torch(work)
