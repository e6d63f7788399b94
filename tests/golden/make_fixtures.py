#!/usr/bin/python3
"""Writes what golden_test.cpp compares eigan with: inputs, and what PyTorch makes of them, in float32 and in float64.

    sudo apt-get install python3-torch
    /usr/bin/python3 tests/golden/make_fixtures.py              all of them
    /usr/bin/python3 tests/golden/make_fixtures.py losses gan   these

By hand, and only when a case is added: the fixtures are kept in the repository, so that neither a build nor a test
needs PyTorch. Inputs come from NumPy's RandomState, which is the same in every version. Batches are [batch, features]
as in PyTorch; the memory is that of eigan's features x batch. README.md says what is in which file.
"""
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.nn import functional

import safetensors_numpy

FOLDER = pathlib.Path(__file__).parent
# Both programs must be on the same side of the kinks of ReLU and LeakyReLU.
FAR_FROM_KINK = 1e-5


class Fixture:
    """The tensors of one file in the making, all of one dtype."""

    def __init__(self, dtype, seed):
        self.dtype = dtype
        self.random = numpy.random.RandomState(seed)
        self.tensors = {}

    def tensor(self, values):
        return torch.tensor(numpy.asarray(values, "float64")).to(self.dtype)

    def normal(self, *shape):
        return self.tensor(self.random.standard_normal(shape))

    def uniform(self, low, high, *shape):
        return self.tensor(self.random.uniform(low, high, shape))

    def add(self, **tensors):
        """Keeps tensors under their names; a double underscore in a name stands for a dot."""
        for name, tensor in tensors.items():
            self.add_as(name.replace("__", "."), tensor)

    def add_as(self, name, tensor):
        assert name not in self.tensors and torch.isfinite(tensor).all(), name
        self.tensors[name] = tensor.detach().clone().numpy()

    def add_pass(self, name, layer, x, laid_out=lambda tensor: tensor):
        """Forward and both halves of backward, with the layer's parameters."""
        x.requires_grad_()
        y = layer(x)
        dy = self.normal(*y.shape)
        y.backward(dy)
        for letter, tensor in {"x": x, "y": y, "dy": dy, "dx": x.grad}.items():
            self.add_as(f"{name}.{letter}", laid_out(tensor))
        for parameter_name, parameter in layer.named_parameters():
            self.add_as(f"{name}.{parameter_name}", parameter)
            self.add_as(f"{name}.d{parameter_name}", parameter.grad)

    def write(self, name):
        dtype = str(self.dtype).replace("torch.", "")
        safetensors_numpy.write(FOLDER / f"{name}.{dtype}.safetensors", self.tensors, {"torch": torch.__version__})


def initialise(fixture, network):
    """PyTorch's default for nn.Linear, from the fixture's random numbers."""
    for layer in network:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            for parameter in layer.parameters():
                parameter.data = fixture.uniform(-bound, bound, *parameter.shape)
    return network


def forward(network, x):
    """network(x), having made sure that nothing comes near a kink."""
    for layer in network:
        if isinstance(layer, (nn.ReLU, nn.LeakyReLU)):
            assert x.abs().min() > FAR_FROM_KINK, "choose another seed"
        x = layer(x)
    return x


def layers(dtype):
    fixture = Fixture(dtype, seed=1)

    (linear,) = initialise(fixture, nn.Sequential(nn.Linear(19, 35)))
    fixture.add_pass("linear", linear, fixture.normal(5, 19))
    activations = {
        "leaky_relu": nn.LeakyReLU(0.2),
        "relu": nn.ReLU(),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
    }
    special = [0.0, -0.0, 1e-3, -1e-3, 1e-8, -1e-8, 9.0, -9.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4]
    for name, layer in activations.items():
        fixture.add_pass(name, layer, fixture.normal(4, 21))
        fixture.add_pass(f"{name}_special", layer, fixture.tensor([special]))
    fixture.write("layers")


def pixels(tensor):
    """[batch, channels, height, width] as eigan has it: a pixel's channels side by side. Vectors as they are."""
    return tensor if tensor.dim() == 2 else tensor.permute(0, 2, 3, 1).reshape(len(tensor), -1)


class PreciseGELU(nn.GELU):
    """In float32 PyTorch computes 1 + erf(x), and is off by some 10^-7 where erf is near -1: more than what is allowed."""

    def forward(self, x):
        return super().forward(x.double()).to(x.dtype)


def activations(dtype):
    fixture = Fixture(dtype, seed=6)

    def prelu(slopes):
        layer = nn.PReLU(slopes)
        layer.weight.data = fixture.uniform(-0.5, 0.5, slopes)
        return layer

    special = [0.0, -0.0, 1e-3, -1e-3, 1e-8, -1e-8, 3.0, -3.0, 9.0, -9.0, 20.0, -20.0, 100.0, -100.0, 1e4, -1e4]
    for name, layer in {
        "elu": nn.ELU(0.7),
        "gelu": PreciseGELU(),
        "silu": nn.SiLU(),
        "softplus": nn.Softplus(),
        "softplus_2": nn.Softplus(2, 3),
    }.items():
        fixture.add_pass(name, layer, 3 * fixture.normal(4, 21))
        fixture.add_pass(f"{name}_special", layer, fixture.tensor([special]))
    fixture.add_pass("prelu", prelu(1), fixture.normal(4, 21))
    fixture.add_pass("prelu_features", prelu(21), fixture.normal(4, 21))
    fixture.add_pass("prelu_image", prelu(3), fixture.normal(2, 3, 4, 5), pixels)
    fixture.write("activations")


def images(dtype):
    """Layers for images; each is a network of one layer, so that its tensors have the names that eigan's model gives."""
    fixture = Fixture(dtype, seed=7)

    def add(name, layer, *shape, scale=1):
        network = nn.Sequential(layer.to(dtype))
        for parameter in network.parameters():
            parameter.data = fixture.uniform(-0.5, 0.5, *parameter.shape)
        for buffer, tensor in network.named_buffers():
            fixture.add_as(f"{name}.before.{buffer}", tensor.to(dtype))
        fixture.add_pass(name, network, scale * fixture.normal(*shape), pixels)
        for buffer, tensor in network.named_buffers():
            fixture.add_as(f"{name}.after.{buffer}", tensor.to(dtype))
        return network.eval()

    add("conv", nn.Conv2d(3, 5, 3, 2, 1), 2, 3, 6, 7, scale=0.2)
    add("conv_wide", nn.Conv2d(17, 4, 2, bias=False), 2, 17, 3, 4, scale=0.2)
    add("conv_transpose", nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1), 2, 4, 3, 2, scale=0.2)
    add("conv_transpose_wide", nn.ConvTranspose2d(17, 4, 2, 2, bias=False), 2, 17, 2, 3, scale=0.2)
    add("reflection_pad", nn.ReflectionPad2d(2), 2, 3, 4, 5)
    add("max_pool", nn.MaxPool2d(3, 2, 1), 2, 3, 5, 6)
    add("avg_pool", nn.AvgPool2d(3, 2, 1), 2, 3, 5, 6)
    add("global_avg_pool", nn.AdaptiveAvgPool2d(1), 2, 3, 5, 6)
    add("upsample_nearest", nn.Upsample(scale_factor=3), 2, 3, 3, 4)
    add("upsample_bilinear", nn.Upsample(scale_factor=2, mode="bilinear"), 2, 3, 3, 4)
    add("flatten", nn.Flatten(), 2, 3, 3, 4)
    add("unflatten", nn.Unflatten(1, (3, 2, 4)), 2, 24)
    batch_norm = add("batch_norm", nn.BatchNorm2d(3, eps=1e-3), 4, 3, 2, 5)
    x = fixture.normal(2, 3, 2, 5)
    fixture.add(batch_norm__eval__x=pixels(x), batch_norm__eval__y=pixels(batch_norm(x)))
    add("instance_norm", nn.InstanceNorm2d(3), 2, 3, 4, 5)
    add("instance_norm_affine", nn.InstanceNorm2d(3, eps=1e-3, affine=True), 2, 3, 4, 5)
    add("layer_norm", nn.LayerNorm((3, 2, 5)), 2, 3, 2, 5)
    add("spectral_linear", nn.utils.parametrizations.spectral_norm(nn.Linear(7, 4)), 5, 7, scale=0.2)
    add("spectral_conv", nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3, 1, 1)), 2, 3, 3, 4, scale=0.2)
    fixture.write("images")


def losses(dtype):
    fixture = Fixture(dtype, seed=2)

    def add_loss(name, loss, y, target):
        y.requires_grad_()
        value = loss(y, target)
        value.backward()
        for letter, tensor in {"y": y, "target": target.to(dtype), "loss": value, "dy": y.grad}.items():
            fixture.add_as(f"{name}.{letter}", tensor)

    add_loss("bce", functional.binary_cross_entropy, fixture.uniform(0.01, 0.99, 6, 3), fixture.uniform(0, 1, 6, 3))
    ends = [0, 0, 0, 1, 1, 1, 1e-30, 1e-30, 1e-13, 1e-6, 1 - 1e-6, 1 - 1e-6, 0.5]
    targets = [0, 1, 0.9, 0, 1, 0.9, 0, 1, 0.9, 1, 0, 0.9, 0.9]
    add_loss("bce_ends", functional.binary_cross_entropy, fixture.tensor([ends]), fixture.tensor([targets]))

    logits_loss = functional.binary_cross_entropy_with_logits
    add_loss("bce_with_logits", logits_loss, 3 * fixture.normal(6, 3), fixture.uniform(0, 1, 6, 3))
    add_loss("bce_with_logits_smoothed", logits_loss, 3 * fixture.normal(9, 1), fixture.tensor([[0.9]] * 9))
    extreme = [1e4, -1e4, 1e4, -1e4, 1e4, -1e4, 100, -100, 0]
    targets = [1, 0, 0, 1, 0.9, 0.9, 0.9, 0.1, 0.9]
    add_loss("bce_with_logits_extreme", logits_loss, fixture.tensor([extreme]), fixture.tensor([targets]))

    add_loss("mse", functional.mse_loss, fixture.normal(5, 4), fixture.normal(5, 4))

    labels = torch.tensor(fixture.random.randint(0, 7, 6))
    add_loss("cross_entropy", functional.cross_entropy, 2 * fixture.normal(6, 7), labels)
    extreme = [[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [100, 0, -100], [-1e4, -1e4, -1e4]]
    add_loss("cross_entropy_extreme", functional.cross_entropy, fixture.tensor(extreme), torch.tensor([0, 0, 1, 2]))

    add_loss("l1", functional.l1_loss, fixture.normal(5, 4), fixture.normal(5, 4))
    for delta in (0.5, 1.0, 2.0):
        huber = lambda y, target: functional.huber_loss(y, target, delta=delta)
        add_loss(f"huber_{delta}", huber, fixture.normal(5, 4), fixture.normal(5, 4))
    probabilities = fixture.uniform(0, 1, 6, 7)
    probabilities /= probabilities.sum(1, keepdim=True)
    add_loss("cross_entropy_soft", functional.cross_entropy, 2 * fixture.normal(6, 7), probabilities)
    smoothed = lambda y, target: functional.cross_entropy(y, target, label_smoothing=0.1)
    add_loss("cross_entropy_smoothed", smoothed, 2 * fixture.normal(6, 7), labels)

    y, labels = fixture.normal(3, 4, 2, 5).requires_grad_(), torch.tensor(fixture.random.randint(0, 4, (3, 2, 5)))
    loss = functional.cross_entropy(y, labels)
    loss.backward()
    fixture.add(cross_entropy_image__y=pixels(y), cross_entropy_image__dy=pixels(y.grad), cross_entropy_image__loss=loss)
    fixture.add(cross_entropy_image__target=labels.reshape(3, -1).to(dtype))

    mu, logvar = fixture.normal(5, 3).requires_grad_(), fixture.normal(5, 3).requires_grad_()
    normal = torch.distributions.Normal
    divergence = torch.distributions.kl_divergence(normal(mu, (logvar / 2).exp()), normal(0 * mu, 1 + 0 * mu))
    fixture.add(kl__mu=mu, kl__logvar=logvar)
    for name, loss in {"mean": divergence.mean(), "batchmean": divergence.sum(1).mean()}.items():
        dmu, dlogvar = torch.autograd.grad(loss, (mu, logvar), retain_graph=True)
        fixture.add_as(f"kl.{name}.loss", loss)
        fixture.add_as(f"kl.{name}.dmu", dmu)
        fixture.add_as(f"kl.{name}.dlogvar", dlogvar)
    fixture.write("losses")


def optimizers(dtype):
    """20 steps with the same gradients for all: of every magnitude, and some that are always 0."""
    fixture = Fixture(dtype, seed=3)
    steps, size = 20, 23
    magnitudes = numpy.concatenate([[0, 0], numpy.logspace(-7, 1, size - 2)])
    grads = fixture.tensor(magnitudes * fixture.random.standard_normal((steps, size)))
    start = fixture.uniform(-1, 1, size)
    fixture.add(grads=grads, start=start)

    def add_steps(name, make_optimizer, options):
        parameter = start.clone().requires_grad_()
        optimizer = make_optimizer([parameter])
        after = []
        for grad in grads:
            parameter.grad = grad.clone()
            optimizer.step()
            after.append(parameter.detach().clone())
        fixture.add_as(f"{name}.options", torch.tensor(options, dtype=torch.float64))
        fixture.add_as(f"{name}.params", torch.stack(after))

    # lr, beta1, beta2, eps, weight_decay
    for i, options in enumerate(
        [
            (1e-3, 0.9, 0.999, 1e-8, 0),
            (2e-3, 0.5, 0.9, 1e-6, 0.1),
            (1e-1, 0.9, 0.999, 0.3, 0),
            (5e-2, 0, 0.99, 1e-4, 1e-2),
        ]
    ):
        lr, beta1, beta2, eps, weight_decay = options
        add_steps(f"adam.{i}", lambda p: torch.optim.Adam(p, lr, (beta1, beta2), eps, weight_decay), options)
    # lr, momentum, weight_decay, nesterov
    for i, options in enumerate(
        [(1e-2, 0, 0, 0), (1e-2, 0.9, 0, 0), (5e-3, 0.8, 0.2, 0), (5e-3, 0.9, 0, 1), (1e-2, 0.5, 0.1, 1)]
    ):
        lr, momentum, decay, nesterov = options
        add_steps(
            f"sgd.{i}",
            lambda p: torch.optim.SGD(p, lr, momentum, weight_decay=decay, nesterov=bool(nesterov)),
            options,
        )
    # lr, beta1, beta2, eps, weight_decay
    for i, options in enumerate([(1e-3, 0.9, 0.999, 1e-8, 1e-2), (2e-2, 0.5, 0.9, 1e-6, 0.5), (1e-2, 0, 0.99, 0.1, 0)]):
        lr, beta1, beta2, eps, weight_decay = options
        add_steps(f"adamw.{i}", lambda p: torch.optim.AdamW(p, lr, (beta1, beta2), eps, weight_decay), options)
    # lr, alpha, eps, weight_decay, momentum
    for i, options in enumerate(
        [(1e-2, 0.99, 1e-8, 0, 0), (1e-2, 0.9, 1e-6, 0.1, 0), (5e-3, 0.8, 1e-3, 0, 0.9), (5e-3, 0.5, 0.3, 0.2, 0.5)]
    ):
        add_steps(f"rmsprop.{i}", lambda p: torch.optim.RMSprop(p, *options), options)
    fixture.write("optimizers")


def mlp(dtype):
    """A network with every layer, on a batch that is no multiple of anything. Its parameters are a state dictionary."""
    fixture = Fixture(dtype, seed=4)
    network = nn.Sequential(
        nn.Linear(20, 33),
        nn.LeakyReLU(0.2),
        nn.Linear(33, 17),
        nn.ReLU(),
        nn.Linear(17, 9),
        nn.Tanh(),
        nn.Linear(9, 3),
        nn.Sigmoid(),
    )
    initialise(fixture, network)
    x = fixture.normal(37, 20).requires_grad_()
    y = forward(network, x)
    dy = fixture.normal(*y.shape)
    y.backward(dy)
    fixture.add(x=x, y=y, dy=dy, dx=x.grad)
    for name, parameter in network.named_parameters():
        fixture.add_as(f"grad.{name}", parameter.grad)
    fixture.write("mlp")

    state = Fixture(dtype, seed=0)
    for name, tensor in network.state_dict().items():
        state.add_as(name, tensor)
    state.write("mlp_state")


def gan(dtype):
    """Ten steps of the discriminator and the generator in turn; index 0 of the parameters is the start."""
    fixture = Fixture(dtype, seed=5)
    steps, batch, latent, features = 10, 6, 5, 9
    # Dropout(0) does nothing; it keeps the numbers of the layers as in a network that has it.
    generator = nn.Sequential(
        nn.Linear(latent, 7), nn.LeakyReLU(0.2), nn.Dropout(0), nn.Linear(7, features), nn.Tanh()
    )
    discriminator = nn.Sequential(nn.Linear(features, 8), nn.LeakyReLU(0.2), nn.Dropout(0), nn.Linear(8, 1))
    initialise(fixture, generator)
    initialise(fixture, discriminator)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=0.002, betas=(0.9, 0.999))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=0.002, betas=(0.9, 0.999))
    reals = fixture.uniform(-1, 1, steps, batch, features)
    d_zs = fixture.uniform(-1, 1, steps, batch, latent)
    g_zs = fixture.uniform(-1, 1, steps, batch, latent)

    history = {}

    def remember(prefix, named_tensors):
        for name, tensor in named_tensors:
            history.setdefault(f"{prefix}.{name}", []).append(tensor.detach().clone())

    def loss_against(logits, label):
        return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))

    remember("generator", generator.named_parameters())
    remember("discriminator", discriminator.named_parameters())
    for real, d_z, g_z in zip(reals, d_zs, g_zs):
        on_real = forward(discriminator, real)
        on_fake = forward(discriminator, forward(generator, d_z).detach())
        d_loss = loss_against(on_real, 0.9) + loss_against(on_fake, 0.0)
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        remember("discriminator", discriminator.named_parameters())
        remember("d_step", {"loss": d_loss, "real": on_real.sigmoid().mean(), "fake": on_fake.sigmoid().mean()}.items())

        on_fake = forward(discriminator, forward(generator, g_z))
        g_loss = loss_against(on_fake, 1.0)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        remember("generator", generator.named_parameters())
        remember("g_step", {"loss": g_loss, "fake": on_fake.sigmoid().mean()}.items())

    fixture.add(real=reals, d_z=d_zs, g_z=g_zs)
    for name, tensors in history.items():
        fixture.add_as(name, torch.stack(tensors))
    fixture.write("gan")


if __name__ == "__main__":
    torch.set_num_threads(1)
    all_of_them = (layers, activations, images, losses, optimizers, mlp, gan)
    for dtype in (torch.float32, torch.float64):
        for make in all_of_them:
            if len(sys.argv) == 1 or make.__name__ in sys.argv[1:]:
                make(dtype)
    written = sorted(FOLDER.glob("*.safetensors"))
    for path in written:
        print(f"{path.stat().st_size:7} {path.name}")
    print(f"{sum(path.stat().st_size for path in written):7} bytes in all")
