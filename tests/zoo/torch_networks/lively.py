"""Random weights and batch norm statistics that no formula can confuse."""

import torch
from torch import nn

from tests.zoo.torch_networks.ir2_conv import FlatIR2Conv2d, IR2Conv2d
from tests.zoo.torch_networks.recu_conv import ReCUConv2d

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def make_lively(network, *, size, channels=3, seed=0, images=8):
    """Draws all weights, settles the running statistics, then moves them a little.

    Settled statistics keep activations balanced, as in a trained network; moved, they
    are not those of any batch. Scales are of both signs, gammas as well; with betas
    that are continuous they keep values off zero, where `torch.sign` gives 0 and Larq
    +1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            _draw(module, generator)
        network.train()
        for _ in range(3):
            shape = (images, channels, size, size)
            dtype = next(network.parameters()).dtype
            network(torch.randn(shape, generator=generator, dtype=dtype))
        for module in network.modules():
            _move(module, generator)
    return network.eval()


def _draw(module, generator):
    if isinstance(module, (nn.Conv2d, nn.Linear)):
        deviation = (2 / module.weight[0].numel()) ** 0.5
        module.weight.normal_(0, deviation, generator=generator)
    elif isinstance(module, _BATCH_NORMS):
        module.weight.uniform_(0.5, 1.5, generator=generator)
        _flip_a_fifth(module.weight, generator)
        module.momentum = 0.5  # settles in a few batches
    elif isinstance(module, nn.PReLU):
        module.weight.uniform_(0.1, 0.5, generator=generator)
    if isinstance(module, IR2Conv2d):
        _spread(module.weight, generator)
    elif isinstance(module, FlatIR2Conv2d):
        _spread(module.weights, generator)
    if isinstance(module, ReCUConv2d):
        # a normalisation follows: by its epsilon small scales have a gradient
        module.alpha.copy_(10 ** module.alpha.uniform_(-2, 0, generator=generator))
        _flip_a_fifth(module.alpha, generator)
    if getattr(module, "bias", None) is not None:
        module.bias.normal_(0, 0.3, generator=generator)


def _spread(weight, generator):
    """A tenth beyond 1, where plain signs let no gradient through."""
    weight.normal_(0, 0.6, generator=generator)


def _flip_a_fifth(weight, generator):
    """Turns the sign of some, which nothing in training forbids."""
    weight[torch.rand(weight.shape, generator=generator) < 0.2] *= -1


def _move(module, generator):
    if isinstance(module, _BATCH_NORMS):
        mean = module.get_buffer("running_mean")
        variance = module.get_buffer("running_var")
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
        mean += 0.1 * noise * variance.sqrt()
        variance *= torch.empty_like(mean).uniform_(0.8, 1.25, generator=generator)
        module.momentum = 0.1
