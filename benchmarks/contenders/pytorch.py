#!/usr/bin/python3
# PyTorch: the whole step as tutorials write it, real and fake one after the other and all gradients computed.
# Speaks the protocol of paired/serve.hpp: pytorch WORKLOAD THREADS
import json
import sys
import time

import torch
from torch import nn

WORKLOADS = {
    "gan-seed": ([100, 32, 64, 128, 784], [784, 128, 64, 32, 1], 64),
    "gan-wide": ([100, 256, 512, 1024, 784], [784, 1024, 512, 256, 1], 128),
    "discriminator": (None, [784, 128, 64, 32, 1], 64),
    "discriminator-wide": (None, [784, 1024, 512, 256, 1], 128),
    "recogniser": (None, [784, 256, 128, 10], 100),
}
IMAGES = 16384


def stack(sizes, activation, dropout):
    layers = []
    for i, (size_in, size_out) in enumerate(zip(sizes, sizes[1:])):
        layers.append(nn.Linear(size_in, size_out))
        if i + 2 < len(sizes):
            layers.append(activation())
            if dropout:
                layers.append(nn.Dropout(0.3))
    return layers


def leaky():
    return nn.LeakyReLU(0.2)


class Stream:
    """Shuffled batches of noise without end."""

    def __init__(self, batch):
        self.pixels = torch.randint(0, 256, (IMAGES, 784), dtype=torch.uint8)
        self.labels = torch.arange(IMAGES) * 7 % 10
        self.batch = batch
        self.at = IMAGES

    def next(self):
        if self.at + self.batch > IMAGES:
            self.order = torch.randperm(IMAGES)
            self.at = 0
        which = self.order[self.at : self.at + self.batch]
        self.at += self.batch
        return self.pixels[which].float().div_(127.5).sub_(1), self.labels[which]


def gan_step(generator_sizes, discriminator_sizes, batch):
    generator = nn.Sequential(*stack(generator_sizes, leaky, True), nn.Tanh())
    discriminator = nn.Sequential(*stack(discriminator_sizes, leaky, True))
    generator_adam = torch.optim.Adam(generator.parameters(), lr=0.002)
    discriminator_adam = torch.optim.Adam(discriminator.parameters(), lr=0.002)
    bce = nn.BCEWithLogitsLoss()
    stream = Stream(batch)
    smooth, zeros, ones = torch.full((batch, 1), 0.9), torch.zeros(batch, 1), torch.ones(batch, 1)

    def latents():
        return torch.empty(batch, generator_sizes[0]).uniform_(-1, 1)

    def step():
        real, _ = stream.next()
        discriminator_adam.zero_grad(set_to_none=True)
        fake = generator(latents()).detach()
        (bce(discriminator(real), smooth) + bce(discriminator(fake), zeros)).backward()
        discriminator_adam.step()
        generator_adam.zero_grad(set_to_none=True)
        bce(discriminator(generator(latents())), ones).backward()
        generator_adam.step()

    return step


def classifier_step(sizes, batch):
    recogniser = sizes[-1] > 1
    net = nn.Sequential(*stack(sizes, nn.ReLU if recogniser else leaky, False))
    adam = torch.optim.Adam(net.parameters(), lr=0.001)
    loss = nn.CrossEntropyLoss() if recogniser else nn.BCEWithLogitsLoss()
    stream = Stream(batch)
    half = torch.cat([torch.ones(batch // 2, 1), torch.zeros(batch - batch // 2, 1)])

    def step():
        images, labels = stream.next()
        adam.zero_grad(set_to_none=True)
        loss(net(images), labels if recogniser else half).backward()
        adam.step()

    return step


def main():
    generator, network, batch = WORKLOADS[sys.argv[1]]
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(1)
    step = gan_step(generator, network, batch) if generator else classifier_step(network, batch)
    print(json.dumps({"name": f"PyTorch {torch.__version__.split('+')[0]}, plain step"}), flush=True)
    for line in sys.stdin:
        warm, count = map(int, line.split())
        for _ in range(warm):
            step()
        times = []
        last = time.perf_counter_ns()
        for _ in range(count):
            step()
            now = time.perf_counter_ns()
            times.append(now - last)
            last = now
        print(*times, flush=True)


main()
