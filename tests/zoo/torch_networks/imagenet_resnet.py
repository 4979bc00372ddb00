"""ResNet-18 and ResNet-34 for ImageNet: the W1A1 networks, and the W1A32 ones."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.blocks import stage
from tests.zoo.torch_networks.ir_conv import IRConv2d, IRWeightConv2d
from tests.zoo.torch_networks.shortcuts import projection


class ImageNetResNet(nn.Module):
    """Logits: IR-Net's LogSoftmax changes neither loss nor arg-max."""

    def __init__(self, blocks=(2, 2, 2, 2), *, conv=IRConv2d, num_classes=1000):
        super().__init__()
        is_weight_only = conv is IRWeightConv2d
        self.act = F.relu if is_weight_only else F.hardtanh
        kind = {
            "shortcut_name": "downsample",
            "make_shortcut": projection,
            "block": "normal" if is_weight_only else "bi_real",
            "conv": conv,
            "act": self.act,
        }
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = stage(64, 64, blocks[0], **kind)
        self.layer2 = stage(64, 128, blocks[1], **kind)
        self.layer3 = stage(128, 256, blocks[2], **kind)
        self.layer4 = stage(256, 512, blocks[3], **kind)
        self.bn2 = nn.BatchNorm1d(512)
        self.fc = nn.Linear(512, num_classes)
        if issubclass(conv, IRConv2d):
            self.bn3 = nn.BatchNorm1d(num_classes)  # made by its authors, never called

    def forward(self, images):
        x = self.act(self.bn1(self.conv1(images)))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.bn2(x.mean((2, 3))))
