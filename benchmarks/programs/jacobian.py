"""examples/programs/jacobian.cpp with PyTorch: the largest error of the Jacobian."""
import math

import torch
from torch import nn

from peer import run_torch


def hands(angles):
    a, b = angles.unbind(-1)
    return torch.stack([a.cos() + (a + b).cos(), a.sin() + (a + b).sin()], -1)


def work():
    torch.set_default_dtype(torch.double)
    model = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 2))
    angles = 0.2 + 1.6 * torch.rand(128, 2)
    places = hands(angles)
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 3000)
    mse = nn.MSELoss()
    for _ in range(3000):
        adam.zero_grad()
        mse(model(angles), places).backward()
        adam.step()
        schedule.step()

    def jacobian(at):
        return torch.autograd.functional.jacobian(model, at)

    at = torch.tensor([0.7, 0.9])
    s, c = math.sin(1.6), math.cos(1.6)
    exact = torch.tensor([[-math.sin(0.7) - s, -s], [math.cos(0.7) + c, c]])
    goal, arm = hands(torch.tensor([1.2, 0.6])), at
    for _ in range(20):
        j = jacobian(arm)
        arm = arm + j.T @ torch.linalg.inv(j @ j.T) @ (goal - model(arm).detach())
    return (jacobian(at) - exact).abs().max()


run_torch(work)
