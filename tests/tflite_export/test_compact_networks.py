"""Depthwise separable networks on the phone: every 1x1 convolution is binary."""

import collections

import numpy as np
import pytest

import tflite_export
import zoo
from tests.tflite_export import networks
from tflite_export.flatbuffer import Flatbuffer

MOBILENET = ("MobileNetV1", 16, {"alpha": 0.25, "stem_strides": 1})
EFFICIENTNET = ("EfficientNetB0", 16, {"width": 0.25, "stem_strides": 1})
DARTS = ("DARTS", 16, {"channels": 8, "cells": 4})

NETWORKS = [  # binary and depthwise convolutions; what stays between them
    (MOBILENET, 13, 13, {"RELU_N1_TO_1": 5, "MUL": 0}),
    # at each gate a swish, a product, and a normalisation that cannot be folded
    (EFFICIENTNET, 32, 16, {"LOGISTIC": 2 * 16, "MUL": 3 * 16}),
    # 11 in each of two normal cells, two in front of each cell, and three in front of
    # each that is behind a reduction
    (DARTS, 2 * 11 + 2 * 2 + 2 * 3, 2 * 11, {"MAX_POOL_2D": 4, "STRIDED_SLICE": 4}),
]


def build(name, size, options, method="irnet", **further):
    shape = {"input_shape": (size, size, 3), "num_classes": 10}
    model = zoo.models.get(name)(method, **shape, **options, **further)
    return networks.randomize_channels(networks.randomize_batch_norms(model))


def export(model, path):
    images = np.random.default_rng(1).normal(size=(4, *model.input_shape[1:]))
    return tflite_export.export(
        model, path / "model.tflite", samples=images, benchmark=False
    )


@pytest.mark.parametrize("network, binary, depthwise, others", NETWORKS)
def test_networks(network, binary, depthwise, others, tmp_path):
    result = export(build(*network), tmp_path)
    report = result.report
    assert not [one for one in report.findings if one.severity == "error"]
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * binary
    operators = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    counted = collections.Counter(operators)
    assert counted["LceBconv2d"] == binary
    assert counted["DEPTHWISE_CONV_2D"] == depthwise
    assert {operator: counted[operator] for operator in others} == others
    # no padding by itself, which would not be that of a strided convolution
    assert counted["PAD"] == counted["PADV2"] == 0
    # float32 sums in another order, relative to the largest value
    assert max(part.error for part in report.verification.parts) < 1e-5
    assert {one.agreement for one in report.verification.end_to_end} == {1.0}
