"""Residual blocks of two binary convolutions, and the stages made of them."""

from torch import nn


class Block(nn.Module):
    """Two binary convolutions with one shortcut ("normal") or two ("bi_real").

    `shortcut` is where the shape changes a pair of the name and the module.
    """

    def __init__(self, channels, filters, stride, *, shortcut, block, conv, act):
        super().__init__()
        self.conv1 = conv(channels, filters, stride)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = conv(filters, filters)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut_name, module = shortcut
        setattr(self, self.shortcut_name, module)
        self.act = act
        self.is_bi_real = block == "bi_real"

    def forward(self, x):
        kept = getattr(self, self.shortcut_name)(x)
        y = self.bn1(self.conv1(x))
        if self.is_bi_real:
            y = self.act(y + kept)
            return self.act(self.bn2(self.conv2(y)) + y)
        return self.act(self.bn2(self.conv2(self.act(y))) + kept)


def stage(channels, filters, blocks, *, shortcut_name, make_shortcut, **kind):
    """Blocks of one width; the first one changes the shape if the width changes."""
    changes = channels != filters
    first, same = make_shortcut(channels, filters) if changes else None, nn.Identity
    return nn.Sequential(
        Block(
            channels,
            filters,
            2 if changes else 1,
            shortcut=(shortcut_name, first or same()),
            **kind,
        ),
        *(
            Block(filters, filters, 1, shortcut=(shortcut_name, same()), **kind)
            for _ in range(blocks - 1)
        ),
    )
