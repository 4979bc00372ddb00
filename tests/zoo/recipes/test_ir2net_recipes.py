"""The published recipes of IR2Net are the authors' runs."""

import re

import numpy as np
import pytest

from zoo import recipes
from zoo.learning_rate import learning_rate_for

CIFAR = {  # epochs, learning rate, accuracy, layer that restricts
    "ir2net_resnet20_cifar10": (500, 0.11, 0.872, "stage3_block3_conv2_act"),
    "ir2net_resnet18_cifar10": (600, 0.08, 0.925, "stage4_block2_act"),
    "ir2net_vgg_small_cifar10": (400, 0.08, 0.915, "conv5_act"),
}
ACCURACIES = {"a": 0.682, "b": 0.670, "c": 0.666, "d": 0.638}
SECOND = {fusion: f"ir2net18_{fusion}_imagenet" for fusion in ACCURACIES}
FIRST = {fusion: f"ir2net18_{fusion}_stage1_imagenet" for fusion in ACCURACIES}
IMAGENET = [*SECOND.values(), *FIRST.values()]


def config_of(name):
    return recipes.get(name).config


@pytest.mark.parametrize("name", CIFAR)
def test_settings_on_cifar_are_the_authors(name):
    config = config_of(name)
    epochs, rate, accuracy, _ = CIFAR[name]
    assert (config.optimizer, config.momentum, config.nesterov) == ("sgd", 0.9, False)
    assert (config.epochs, config.learning_rate) == (epochs, rate)
    assert (config.learning_rate_schedule, config.warmup_epochs) == ("cosine", 0)
    assert config.batch_size == 128
    assert (config.weight_decay, config.decayed_weights) == (1e-4, ".*")
    assert config.statistics == "imagenet"
    assert recipes.get(name).published_accuracy == accuracy
    assert config.network_options == {"recovery": "ir2net"}


@pytest.mark.parametrize("name", [*CIFAR, *IMAGENET])
def test_restriction_is_the_authors(name):
    config = config_of(name)
    layer = CIFAR[name][3] if name in CIFAR else "stage4_block4_prelu"
    assert config.restriction == {
        "layer": layer,
        "threshold": 0.15,
        "normalize": "column",
        "statistics": "both",
    }
    # the last features in front of the fusion
    model = config.build_model(input_shape=(32, 32, 3))
    last = model.get_layer("fusion_concat").input[-1]
    assert last is model.get_layer(layer).output
    assert (config.method, config.alignment, config.pad_values) == (
        *("ir2net", "torch", 0.0),
    )


@pytest.mark.parametrize("name", IMAGENET)
def test_settings_on_imagenet_are_the_authors(name):
    config = config_of(name)
    assert config.optimizer == "torch_adam"
    assert (config.epochs, config.batch_size, config.learning_rate) == (256, 512, 1e-3)
    assert (config.learning_rate_schedule, config.warmup_epochs) == ("cosine", 0)
    assert config.augmentation == {"scale": (0.08, 1.0), "jitter": None}
    assert config.teacher == {
        "network": "ResNet34",
        "block": "normal",
        "head_norm": False,
    }
    rate = learning_rate_for(config)
    rates = [float(rate(epoch * config.steps)) for epoch in (0, 128, 255)]
    last = 5e-4 * (1 + np.cos(np.pi * 255 / 256))
    assert rates == pytest.approx([1e-3, 5e-4, last], rel=1e-6, abs=1e-10)  # float32


@pytest.mark.parametrize("fusion", ACCURACIES)
def test_the_stages(fusion):
    first, second = config_of(FIRST[fusion]), config_of(SECOND[fusion])
    assert recipes.get(SECOND[fusion]).published_accuracy == ACCURACIES[fusion]
    assert recipes.get(FIRST[fusion]).published_accuracy is None
    assert (first.binary_weights, second.binary_weights) == (False, True)
    assert (first.weight_decay, second.weight_decay) == (1e-5, 0.0)
    assert (first.initial_weights, second.initial_weights) == (
        *("", f"runs/{FIRST[fusion]}"),
    )
    own = {
        "binary_weights": True,
        "weight_decay": 0.0,
        "decayed_weights": ".*",
        "initial_weights": "",
    }
    assert {**vars(first), **own} == {**vars(second), **own}
    assert first.network_options == {"recovery": fusion.upper()}


def authors_name(name):
    """Of a weight, as the authors' rule sees it."""
    for ours, theirs in (
        ("fusion/primary_", "fusion.primary_conv."),
        ("fusion/cheap_", "fusion.cheap_operation."),
        ("_conv1/kernel", ".binary_conv.weights"),
        ("stem_conv/", "conv1."),
    ):
        name = name.replace(ours, theirs)
    return re.sub(r"stage(\d)_block(\d)_(conv1_)?bn", r"layer\1.\2.bn1", name)


@pytest.mark.parametrize("fusion", ACCURACIES)
def test_weight_decay_goes_by_the_names_and_shapes_of_the_authors(fusion):
    config = config_of(FIRST[fusion])
    model = config.build_model(input_shape=(32, 32, 3))
    decayed = []
    for weight in model.trainable_weights:
        name = weight.name.removesuffix(":0")
        theirs = authors_name(name)
        if fusion == "a":  # fusion, fbn, fprelu
            theirs = theirs.replace("fusion.primary_conv.conv", "fusion")
            theirs = theirs.replace("fusion.primary_conv.", "f")
        is_kernel = name.endswith("kernel") and not name.startswith("logits")
        by_authors = is_kernel or "conv" in theirs
        assert bool(re.fullmatch(config.decayed_weights, name)) == by_authors, name
        decayed.append(by_authors)
    # stem, 16 convolutions, three shortcuts; the fusion: one kernel, or two with the
    # normalisation and PReLU of the first
    assert sum(decayed) == 20 + (1 if fusion == "a" else 5)
