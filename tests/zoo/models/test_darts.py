import re
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import torch

import zoo
from tests.zoo import torch_networks
from tests.zoo.models.published_sizes import (
    binary_layers,
    depthwise_convolutions,
    float_convolutions,
    has_layer,
    millions_of_macs,
    parameters,
)
from tests.zoo.models.reference import rotate_kernel
from zoo.models import Subsample
from zoo.models.darts_genotype import DARTS_V2

SMALL: dict[str, Any] = {"channels": 4, "cells": 6}

torch.set_num_threads(1)  # its threads and TensorFlow's wait for each other


@pytest.fixture(scope="module")
def model():
    return zoo.DARTS("float")  # without 480 quantizers, which take time


@pytest.fixture(scope="module")
def small_model():
    return zoo.DARTS(**SMALL)


def test_sizes_are_those_of_the_paper(model):
    assert sum(parameters(model)) == 3_349_342  # 3.3 M
    assert parameters(model) == (3_150_576, 198_766)
    assert millions_of_macs(model) == (0.0, 528.36)
    # 18 normal cells with 2 + 11 each, one more behind each reduction; 2 in reductions
    assert len(binary_layers(model)) == 18 * 13 + 2 + 2 * 2


def test_cells(model):
    for cell, size, channels in (
        *((1, 32, 144), (6, 32, 144), (7, 16, 288)),
        *((13, 16, 288), (14, 8, 576), (20, 8, 576)),
    ):
        shape = model.get_layer(f"cell{cell}_concat").output_shape
        assert shape == (None, size, size, channels)
    assert not has_layer(model, "cell21_concat")


def test_what_stays_in_full_precision(model):
    assert [layer.name for layer in float_convolutions(model)] == ["stem_conv"]
    # in a normal cell five separable convolutions and a dilated one
    assert len(depthwise_convolutions(model)) == 18 * 11


def test_the_genotype_is_that_of_the_paper():
    cells = {"normal": DARTS_V2.normal, "reduction": DARTS_V2.reduction}
    words = {
        name: " ".join(f"{edge.operation} {edge.source}" for edge in edges)
        for name, edges in cells.items()
    }
    names = {"sep": "sep_conv_3x3", "dil": "dil_conv_3x3", "skip": "skip_connect"}
    for name, expected in (
        ("normal", torch_networks.darts.NORMAL),
        ("reduction", torch_networks.darts.REDUCTION),
    ):
        for short, long in {**names, "pool": "max_pool_3x3"}.items():
            expected = expected.replace(short, long)
        assert words[name] == expected


def added(model, name):
    return [tensor.node.layer.name for tensor in model.get_layer(name).input]


def test_shortcuts_around_pointwise_convolutions(small_model):
    conv = "cell1_node1_edge1_conv1"
    expected = [f"{conv}_pointwise_bn", f"{conv}_depthwise"]
    assert added(small_model, f"{conv}_pointwise_add") == expected
    assert not has_layer(small_model, "cell1_input1_pointwise_add")
    adds = [layer for layer in small_model.layers if "pointwise_add" in layer.name]
    assert len(adds) == 4 * 11


def test_the_published_network_has_none():
    model = zoo.DARTS("float", **SMALL)
    assert not any("pointwise_add" in layer.name for layer in model.layers)
    assert added(model, "cell1_node4_add") == [
        "cell1_input1_pointwise_bn",
        "cell1_node4_edge2_conv_pointwise_bn",
    ]


@pytest.mark.parametrize("alignment, first", [("tensorflow", 0), ("torch", 1)])
def test_halves_see_other_pixels(alignment, first):
    model = zoo.DARTS(**SMALL, alignment=alignment)
    layers = [layer for layer in model.layers if isinstance(layer, Subsample)]
    halves = {layer.name.removesuffix("_pixels"): layer for layer in layers}
    assert sorted(halves) == [
        f"cell{cell}_input1_half{half}" for cell in (4, 6) for half in (1, 2)
    ]
    for name, layer in halves.items():
        pixel = first if name.endswith("1") else 1 - first
        assert (layer.first_row, layer.first_column) == (pixel, pixel)


def keras_kernel(weight):
    """[C_out, C_in, H, W] of PyTorch, rotated; depthwise ones are [C, 1, H, W]."""
    depthwise = weight.shape[1] == 1
    axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return rotate_kernel(weight.transpose(axes))


def torch_module(network, name):
    """PyTorch's convolution or normalisation behind a layer, and the half it is of."""
    if name == "logits":
        return network.classifier, None
    if name.startswith("stem"):
        return network.stem[name.endswith("bn")], None
    is_bn = name.endswith("_bn")
    if half := re.fullmatch(r"cell(\d+)_input1_half(\d)_pointwise(_bn)?", name):
        cell, number = int(half[1]), int(half[2])
        reduce = network.cells[cell - 1].preprocess0
        return (reduce.bn if is_bn else getattr(reduce, f"conv_{number}")), number
    if enter := re.fullmatch(r"cell(\d+)_input(\d)_pointwise(_bn)?", name):
        cell = network.cells[int(enter[1]) - 1]
        return getattr(cell, f"preprocess{int(enter[2]) - 1}").op[1 + is_bn], None
    edge = re.fullmatch(r"cell(\d+)_node(\d)_edge(\d)_conv(\d?)_(depth|point).*", name)
    assert edge is not None, name
    cell, node, end, conv = (int(number or 1) for number in edge.groups()[:4])
    operation = network.cells[cell - 1]._ops[2 * (node - 1) + end - 1].op
    position = 1 if edge[5] == "depth" else 2 + is_bn
    return operation[4 * (conv - 1) + position], None


def weights_of(module, half):
    if isinstance(module, torch.nn.BatchNorm2d):
        names = ("weight", "bias", "running_mean", "running_var")
        arrays = [getattr(module, name).detach().numpy() for name in names]
        return arrays if half is None else [np.split(a, 2)[half - 1] for a in arrays]
    if isinstance(module, torch.nn.Linear):
        return [module.weight.detach().numpy().T, module.bias.detach().numpy()]
    return [keras_kernel(module.weight.detach().numpy())]


def test_the_float_network_is_the_authors():
    network = torch_networks.DARTS(**SMALL, num_classes=7).double()
    torch_networks.make_lively(network, size=16)
    tf.keras.mixed_precision.set_global_policy("float64")
    model = zoo.DARTS(
        "float", **SMALL, input_shape=(16, 16, 3), num_classes=7, alignment="torch"
    )
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(weights_of(*torch_module(network, layer.name)))
    images = np.random.default_rng(1).normal(size=(3, 16, 16, 3))
    with torch.no_grad():
        expected = network(torch.tensor(images.transpose(0, 3, 1, 2))).numpy()
    # float64 sums in another order, through some fifty layers
    np.testing.assert_allclose(model(images), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"cells": 2}, "`cells` to be an integer from 3 on, got 2"),
        ({"cells": 6.0}, "`cells` to be an integer from 3 on, got 6.0"),
        ({"channels": 0}, "`channels` to be an integer from 1 on, got 0"),
        ({"input_shape": (30, 32, 3)}, r"multiples of 4, .* got \(30, 32, 3\)"),
        ({"input_shape": (32, 6, 3)}, r"multiples of 4, .* got \(32, 6, 3\)"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.DARTS(**{**SMALL, **arguments})
