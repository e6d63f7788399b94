"""examples/programs/wgan.cpp with PyTorch: how many of 2000 samples lie in one of the eight spots."""
import copy
import math

import torch
from torch import nn

from peer import run_torch


def draw_spots(count):
    angle = torch.randint(8, (count,)) * (math.pi / 4)
    return 0.05 * torch.randn(count, 2) + torch.stack([angle.cos(), angle.sin()], 1)


def work():
    g = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(), nn.Linear(64, 64), nn.LeakyReLU(), nn.Linear(64, 1))
    g_adam = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0, 0.9))
    critic_adam = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0, 0.9))
    average = copy.deepcopy(g)
    for step in range(3000):
        real, z = draw_spots(128), torch.randn(128, 4)
        fake = g(z)
        between = torch.lerp(real, fake.detach(), torch.rand(128, 1)).requires_grad_()
        slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0].norm(dim=1)
        critic_adam.zero_grad()
        (critic(fake.detach()).mean() - critic(real).mean() + (slope - 1).square().mean()).backward()
        critic_adam.step()
        if step % 3 == 2:
            g_adam.zero_grad()
            (-critic(fake).mean()).backward()
            g_adam.step()
            updates = step // 3
            with torch.no_grad():  # a decay that rises, as Ema's does
                for mean, now in zip(average.parameters(), g.parameters()):
                    mean.lerp_(now, 1 - min(0.998, (1 + updates) / (10 + updates)))
    with torch.no_grad():
        x, y = average(torch.randn(2000, 4)).unbind(1)
    spot = torch.round(torch.atan2(y, x) / (math.pi / 4)) * (math.pi / 4)
    return ((x - spot.cos()).square() + (y - spot.sin()).square() <= 0.25**2).sum()


run_torch(work)
