"""torchvision's ResNets of basic blocks: full precision, ReLU, no norm at the head."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.blocks import stage
from tests.zoo.torch_networks.shortcuts import projection


def _conv(channels, filters, stride=1):
    return nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)


class TorchvisionResNet(nn.Module):
    """With torchvision's names, so that its files are read as those of this network."""

    def __init__(self, blocks=(3, 4, 6, 3), *, num_classes=1000):
        super().__init__()
        kind = {
            "shortcut_name": "downsample",
            "make_shortcut": projection,
            "block": "normal",
            "conv": _conv,
            "act": F.relu,
        }
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = stage(64, 64, blocks[0], **kind)
        self.layer2 = stage(64, 128, blocks[1], **kind)
        self.layer3 = stage(128, 256, blocks[2], **kind)
        self.layer4 = stage(256, 512, blocks[3], **kind)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, images):
        x = F.relu(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
