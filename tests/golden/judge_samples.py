#!/usr/bin/python3
"""Judges generated digits with a convolutional classifier trained in PyTorch, independent of eigan.

    build/release/bin/mnist_gan sample --model runs/NAME/generator.safetensors --count 10000 --out samples.npy
    tests/golden/judge_samples.py data/mnist samples.npy

Prints, for the samples and for real images beside them: the Inception Score in the classifier's probabilities, the
total variation of the class histogram from the training set's, coverage (Naeem et al. 2020, k = 5, 5,000 to 5,000, in
the classifier's features), and the Parzen-window log-likelihood by Goodfellow et al.'s 2014 protocol except that sigma
is chosen on the last 1,000 training images. Needs Debian's python3-torch; some minutes on two cores. Scores in a
classifier's terms hold under that classifier alone; the Parzen figure does not depend on it.
"""
import sys

import numpy as np
import torch
from torch import nn

torch.manual_seed(1)


def idx(path, offset):
    return np.frombuffer(open(path, "rb").read()[offset:], np.uint8)


def load(folder, split):
    images = idx(f"{folder}/{split}-images-idx3-ubyte", 16).reshape(-1, 784)
    return torch.tensor(images / 255.0, dtype=torch.float32), torch.tensor(idx(f"{folder}/{split}-labels-idx1-ubyte", 8).astype(np.int64))


class Judge(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(128, 10))

    def forward(self, x):
        return self.head(self.features(x.view(-1, 1, 28, 28)))


def train(x, y, epochs=4, batch=128):
    judge = Judge()
    steps = epochs * (len(x) // batch)
    optimizer = torch.optim.Adam(judge.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        order = torch.randperm(len(x))
        for i in range(len(x) // batch):
            pick = order[i * batch:(i + 1) * batch]
            optimizer.zero_grad()
            nn.functional.cross_entropy(judge(x[pick]), y[pick]).backward()
            optimizer.step()
            schedule.step()
    return judge.eval()


@torch.no_grad()
def run(judge, x):
    features = torch.cat([judge.features(part.view(-1, 1, 28, 28)) for part in x.split(1000)])
    return features, torch.softmax(judge.head(features), 1)


def inception_score(p):
    return float(torch.exp((p * (torch.log(p + 1e-12) - torch.log(p.mean(0) + 1e-12))).sum(1).mean()))


def coverage(real, fake, k=5):
    radius = torch.cdist(real, real).kthvalue(k + 1, dim=1).values
    return float((torch.cdist(real, fake).min(1).values <= radius).float().mean())


def parzen(samples, points, sigma):
    scores = []
    norm = 784 * np.log(sigma * np.sqrt(2 * np.pi))
    for part in points.split(500):
        distance = torch.cdist(part, samples, compute_mode="use_mm_for_euclid_dist").double() ** 2
        scores.append(torch.logsumexp(-distance / (2 * sigma ** 2), 1) - np.log(len(samples)) - norm)
    scores = torch.cat(scores)
    return float(scores.mean()), float(scores.std() / np.sqrt(len(scores)))


def main():
    folder, path = sys.argv[1:3]
    x, y = load(folder, "train")
    test_x, test_y = load(folder, "t10k")
    judge = train(x, y)
    test_features, test_p = run(judge, test_x)
    print(f"judge: {100 * float((test_p.argmax(1) == test_y).float().mean()):.2f} % of the test images right")
    histogram = torch.bincount(y, minlength=10) / len(y)
    fake = torch.tensor((np.load(path).astype(np.float32) + 1) / 2)
    rows = [("real training images", x[:10000]), (path, fake)]
    print(f"{'':24}  Inception  histogram TV  coverage      Parzen")
    for name, images in rows:
        features, p = run(judge, images)
        share = torch.bincount(p.argmax(1), minlength=10) / len(p)
        sigma = max(np.logspace(-1, 0, 10), key=lambda s: parzen(images, x[-1000:], s)[0])
        mean, error = parzen(images, test_x, sigma)
        print(f"{name[-24:]:24}  {inception_score(p):9.2f}  {float((share - histogram).abs().sum() / 2):12.3f}"
              f"  {coverage(test_features[:5000], features[:5000]):8.3f}  {mean:6.1f} +- {error:.1f}  sigma {sigma:.3f}"
              f"  classes {' '.join(f'{100 * float(v):.0f}%' for v in share)}")


if __name__ == "__main__":
    main()
