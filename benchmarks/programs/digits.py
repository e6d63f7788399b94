"""examples/programs/digits.cpp with PyTorch: the accuracy on a thousand new digits."""
import torch
from torch import nn

from peer import run_torch

SHAPES = ["1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011"]
PLACE = [(0, 0, 1, 5), (0, 0, 5, 1), (0, 4, 5, 1), (4, 0, 1, 5), (4, 0, 5, 1), (4, 4, 5, 1), (8, 0, 1, 5)]


def clean_digits():
    """Each digit at each place."""
    digits = torch.zeros(10, 3, 5, 12, 10)
    for digit, shines in enumerate(SHAPES):
        for down in range(3):
            for right in range(5):
                for (row, col, height, width), on in zip(PLACE, shines):
                    if on == "1":
                        digits[digit, down, right, row + down : row + down + height, col + right : col + right + width] += 1
    return digits


def work():
    clean = clean_digits()

    def draw(count):
        labels = torch.randint(10, (count,))
        images = clean[labels, torch.randint(3, (count,)), torch.randint(5, (count,))]
        return (images + 0.3 * torch.randn_like(images))[:, None], labels

    model = nn.Sequential(nn.Conv2d(1, 8, 3, 1, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, 1, 1),
                          nn.BatchNorm2d(16), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 6 * 5, 10))
    adam = torch.optim.Adam(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, 300, cycle_momentum=False)
    for _ in range(300):
        images, labels = draw(50)
        adam.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        adam.step()
        schedule.step()
    model.eval()
    images, labels = draw(1000)
    with torch.no_grad():
        return (model(images).argmax(1) == labels).float().mean()


run_torch(work)
