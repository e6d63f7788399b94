"""examples/programs/own_layer.cpp with PyTorch: the squared error beyond the samples, of a signal whose power is 2."""
import torch
from torch import nn

from peer import run_torch


class Snake(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        return x + (self.a * x).sin().square() / self.a


def work():
    torch.autograd.gradcheck(Snake().double(), torch.randn(7, 5, dtype=torch.double, requires_grad=True))
    model = nn.Sequential(nn.Linear(1, 32), Snake(), nn.Linear(32, 1))
    x = torch.linspace(-6, 6, 200)[:, None]
    target = 2 * x.sin()
    adam = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, 3000)
    mse = nn.MSELoss()
    for _ in range(3000):
        adam.zero_grad()
        mse(model(x), target).backward()
        adam.step()
        schedule.step()
    beyond = torch.linspace(6, 9, 50)[:, None]
    with torch.no_grad():
        return mse(model(beyond), 2 * beyond.sin())


run_torch(work)
