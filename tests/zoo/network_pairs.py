"""The authors' networks and ours, side by side, ours with the weights imported."""

import contextlib
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
import torch

import zoo
from tests.zoo import torch_networks
from zoo.torch_import import load_state_dict

torch.set_num_threads(1)  # its threads and TensorFlow's wait for each other

CLASSES = 7
IRNET_W1A32 = {"conv": torch_networks.IRWeightConv2d}
RECU = {"conv": torch_networks.ReCUConv2d}
IR2NET = {"conv": torch_networks.IR2Conv2d, "recovery": True}
RECU_POOLED = {**RECU, "shortcut": torch_networks.PooledOptionA}


@dataclass(frozen=True, kw_only=True)
class Published:
    """One network, in both frameworks.

    At even sizes the geometries of the frameworks differ, at odd ones they do not.
    `steps` is how many steps of training are worth their seconds.
    """

    name: str
    torch: Callable[..., torch.nn.Module]
    keras: Callable[..., tf.keras.Model]
    method: str = "irnet"
    torch_arguments: dict[str, Any] = field(default_factory=dict)
    keras_arguments: dict[str, Any] = field(default_factory=dict)
    size: int = 16
    steps: int = 20

    def __str__(self):
        return self.name

    def build(self, *, size, dtype="float32", classes=CLASSES):
        """The PyTorch network with lively weights and ours with the same."""
        arguments = {**self.torch_arguments, "num_classes": classes}
        if self.torch is torch_networks.VGGSmall:
            arguments["size"] = size
        network = self.torch(**arguments).to(getattr(torch, dtype))
        torch_networks.make_lively(network, size=size)
        model = self.keras(
            self.method,
            input_shape=(size, size, 3),
            num_classes=classes,
            alignment="torch",
            **self.keras_arguments,
        )
        load_state_dict(model, network.state_dict())
        return network, model


_RESNET34 = {"blocks": (3, 4, 6, 3)}

PUBLISHED = [
    Published(name="resnet20", torch=torch_networks.ResNet20, keras=zoo.ResNet20),
    Published(
        name="resnet20_odd",
        torch=torch_networks.ResNet20,
        keras=zoo.ResNet20,
        size=17,
    ),
    Published(
        name="resnet20_normal",
        torch=torch_networks.ResNet20,
        keras=zoo.ResNet20,
        torch_arguments={"block": "normal"},
        keras_arguments={"block": "normal"},
    ),
    Published(
        name="resnet20_w1a32",
        torch=torch_networks.ResNet20,
        keras=zoo.ResNet20,
        method="irnet_w1a32",
        torch_arguments={**IRNET_W1A32, "block": "normal"},
    ),
    Published(
        name="cifar_resnet18",
        torch=torch_networks.CifarResNet18,
        keras=zoo.CifarResNet18,
        size=8,
        steps=5,
    ),
    Published(
        name="cifar_resnet18_2019",
        torch=torch_networks.CifarResNet18,
        keras=zoo.CifarResNet18,
        torch_arguments={"release": 2019},
        keras_arguments={"release": 2019},
        size=8,
        steps=5,
    ),
    Published(
        name="vgg_small",
        torch=torch_networks.VGGSmall,
        keras=zoo.VGGSmall,
        steps=5,
    ),
    Published(
        name="resnet18",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet18,
        size=32,
        steps=4,
    ),
    Published(
        name="resnet18_odd",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet18,
        size=35,  # 18, 9, 9, 5, 3, 2: even and odd
    ),
    Published(
        name="resnet18_w1a32",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet18,
        method="irnet_w1a32",
        torch_arguments=IRNET_W1A32,
        size=32,
        steps=4,
    ),
    Published(
        name="resnet34",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet34,
        torch_arguments=_RESNET34,
        size=32,
        steps=4,
    ),
    Published(
        name="resnet34_w1a32",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet34,
        method="irnet_w1a32",
        torch_arguments={**_RESNET34, **IRNET_W1A32},
        size=32,
        steps=4,
    ),
    Published(
        name="recu_resnet20",
        torch=torch_networks.ResNet20,
        keras=zoo.ResNet20,
        method="recu",
        torch_arguments=RECU_POOLED,
    ),
    Published(
        name="recu_cifar_resnet18",
        torch=torch_networks.CifarResNet18,
        keras=zoo.CifarResNet18,
        method="recu",
        torch_arguments=RECU_POOLED,
        size=8,
        steps=5,
    ),
    Published(
        name="recu_vgg_small",
        torch=torch_networks.VGGSmall,
        keras=zoo.VGGSmall,
        method="recu",
        torch_arguments=RECU,
        steps=5,
    ),
    Published(
        name="recu_resnet18",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet18,
        method="recu",
        torch_arguments=RECU,
        size=32,
        steps=4,
    ),
    Published(
        name="recu_resnet34",
        torch=torch_networks.ImageNetResNet,
        keras=zoo.ResNet34,
        method="recu",
        torch_arguments={**_RESNET34, **RECU},
        size=32,
        steps=4,
    ),
    Published(
        name="recu_reactnet18",
        torch=torch_networks.ReActNet18,
        keras=zoo.ReActNet18,
        method="recu",
        size=32,
        steps=4,
    ),
    Published(
        name="ir2net_resnet20",
        torch=torch_networks.ResNet20,
        keras=zoo.ResNet20,
        method="ir2net",
        torch_arguments=IR2NET,
    ),
    Published(
        name="ir2net_cifar_resnet18",
        torch=torch_networks.CifarResNet18,
        keras=zoo.CifarResNet18,
        method="ir2net",
        torch_arguments={**IR2NET, "release": 2022},
        size=8,
        steps=5,
    ),
    Published(
        name="ir2net_vgg_small",
        torch=torch_networks.VGGSmall,
        keras=zoo.VGGSmall,
        method="ir2net",
        torch_arguments=IR2NET,
        steps=5,
    ),
    *(
        Published(
            name=f"ir2net18_{variant.lower()}",
            torch=torch_networks.IR2Net18,
            keras=zoo.IR2Net18,
            method="ir2net",
            torch_arguments={"variant": variant},
            keras_arguments={"recovery": variant},
            size=64,
        )
        for variant in "ABCD"
    ),
]
BY_NAME = {published.name: published for published in PUBLISHED}
EVEN = [one for one in PUBLISHED if not one.name.endswith("_odd")]


@contextlib.contextmanager
def float64():
    """Keras in float64, optimizers and schedules included."""
    before = tf.keras.backend.floatx()
    policy = tf.keras.mixed_precision.global_policy()
    tf.keras.backend.set_floatx("float64")
    tf.keras.mixed_precision.set_global_policy("float64")
    try:
        yield
    finally:
        tf.keras.backend.set_floatx(before)
        tf.keras.mixed_precision.set_global_policy(policy)


def random_images(images, size, *, seed=1, dtype="float64"):
    """The same images as [N, C, H, W] for PyTorch and [N, H, W, C] for Keras."""
    generator = np.random.default_rng(seed)
    array = generator.standard_normal((images, 3, size, size)).astype(dtype)
    return torch.from_numpy(array), tf.constant(array.transpose(0, 2, 3, 1))


def random_labels(images, *, seed=1):
    labels = np.random.default_rng(seed).integers(0, CLASSES, images)
    return torch.from_numpy(labels), tf.constant(labels)


def as_keras(model, state_dict):
    """What the weights of `model` are, once it is given a state dict.

    The model itself has its own weights again afterwards.
    """
    before = model.get_weights()
    load_state_dict(model, state_dict)
    imported = model.get_weights()
    model.set_weights(before)
    return imported


def snapshot(network):
    return copy.deepcopy(network.state_dict())


def relative_difference(ours, theirs):
    """The largest difference, in units of the largest value."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max() / np.abs(theirs).max()
