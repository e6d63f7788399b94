"""examples/programs/dqn.cpp with PyTorch: how many moves the learnt way takes, 20 where it leads nowhere."""
import copy
import random

import torch
from torch import nn

from peer import SEED, run_torch

MOVES = [(0, -1), (0, 1), (-1, 0), (1, 0)]


def moved(cell, action):
    return tuple(min(max(at + by, 0), 4) for at, by in zip(cell, MOVES[action]))


def states(cells):
    return nn.functional.one_hot(torch.tensor([5 * y + x for x, y in cells]), 25).float()


def work():
    random.seed(SEED)
    online = nn.Sequential(nn.Linear(25, 32), nn.ReLU(), nn.Linear(32, 4))
    target = copy.deepcopy(online)
    adam = torch.optim.Adam(online.parameters(), lr=0.005)

    def best(cell):
        with torch.no_grad():
            return online(states([cell])).argmax().item()

    memory, cell = [], (0, 0)
    for step in range(3000):
        action = random.randrange(4) if random.random() < 0.3 else best(cell)
        to = moved(cell, action)
        memory.append((cell, action, to))
        cell = (0, 0) if to in ((4, 4), (2, 2)) else to
        if len(memory) < 32:
            continue
        start, actions, end = zip(*random.choices(memory, k=32))
        with torch.no_grad():
            wanted = 0.9 * target(states(end)).max(1).values
        for j, at in enumerate(end):
            if at in ((4, 4), (2, 2)):
                wanted[j] = 1 if at == (4, 4) else -1
        taken = online(states(start)).gather(1, torch.tensor(actions)[:, None])[:, 0]
        adam.zero_grad()
        (nn.functional.huber_loss(taken, wanted) / 4).backward()  # the program's mean is over all four actions
        nn.utils.clip_grad_norm_(online.parameters(), 10)
        adam.step()
        if step % 100 == 0:
            target.load_state_dict(online.state_dict())
    at, moves = (0, 0), 0
    while at not in ((4, 4), (2, 2)) and moves < 20:
        at, moves = moved(at, best(at)), moves + 1
    return moves if at == (4, 4) else 20


run_torch(work)
