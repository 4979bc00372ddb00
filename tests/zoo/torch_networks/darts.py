"""The evaluation network of DARTS on CIFAR-10, of the genotype of second order."""

import torch
from torch import nn

NORMAL = "sep 0 sep 1 sep 0 sep 1 sep 1 skip 0 skip 0 dil 2"
REDUCTION = "pool 0 pool 1 skip 2 pool 1 pool 0 skip 2 skip 2 pool 1"


class Op(nn.Module):
    """A sequence, called "op"."""

    def __init__(self, *modules):
        super().__init__()
        self.op = nn.Sequential(*modules)

    def forward(self, x):
        return self.op(x)


def relu_conv_bn(channels, filters):
    return Op(
        nn.ReLU(),
        nn.Conv2d(channels, filters, 1, bias=False),
        nn.BatchNorm2d(filters),
    )


def filtered(channels, dilation=1):
    padding = {"padding": dilation, "dilation": dilation}
    return (
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, **padding, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )


class FactorizedReduce(nn.Module):
    def __init__(self, channels, filters):
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_1 = nn.Conv2d(channels, filters // 2, 1, stride=2, bias=False)
        self.conv_2 = nn.Conv2d(channels, filters // 2, 1, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(filters)

    def forward(self, x):
        x = self.relu(x)
        halves = [self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])]
        return self.bn(torch.cat(halves, 1))


def operation(name, channels, stride):
    if name == "pool":
        return nn.MaxPool2d(3, stride, padding=1)
    assert stride == 1  # in this genotype only pools reduce
    if name == "skip":
        return nn.Identity()
    if name == "dil":
        return Op(*filtered(channels, dilation=2))
    return Op(*filtered(channels), *filtered(channels))


class Cell(nn.Module):
    def __init__(self, before_last, last, channels, *, reduces, follows_reduction):
        super().__init__()
        enter = FactorizedReduce if follows_reduction else relu_conv_bn
        self.preprocess0 = enter(before_last, channels)
        self.preprocess1 = relu_conv_bn(last, channels)
        words = (REDUCTION if reduces else NORMAL).split()
        self.sources = [int(source) for source in words[1::2]]
        self._ops = nn.ModuleList(
            operation(name, channels, 2 if reduces and source < 2 else 1)
            for name, source in zip(words[::2], self.sources)
        )

    def forward(self, before_last, last):
        states = [self.preprocess0(before_last), self.preprocess1(last)]
        for edge in range(0, 8, 2):
            ends = [
                self._ops[i](states[self.sources[i]]) for i in range(edge, edge + 2)
            ]
            states.append(sum(ends))
        return torch.cat(states[2:], 1)


class DARTS(nn.Module):
    def __init__(self, *, channels=36, cells=20, num_classes=10):
        super().__init__()
        before_last = last = 3 * channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, last, 3, padding=1, bias=False), nn.BatchNorm2d(last)
        )
        self.cells = nn.ModuleList()
        reductions = {cells // 3, 2 * cells // 3}
        for index in range(cells):
            channels *= 2 if index in reductions else 1
            kind = {
                "reduces": index in reductions,
                "follows_reduction": index - 1 in reductions,
            }
            self.cells.append(Cell(before_last, last, channels, **kind))
            before_last, last = last, 4 * channels
        self.classifier = nn.Linear(last, num_classes)

    def forward(self, images):
        before_last = last = self.stem(images)
        for cell in self.cells:
            before_last, last = last, cell(before_last, last)
        return self.classifier(last.mean((2, 3)))
