"""IR2Net's networks on the phone: the fusion runs beside the binary convolutions."""

import collections

import numpy as np
import pytest

import larq_irnet as irnet
import tflite_export
import zoo
from tests.tflite_export import networks
from tflite_export.flatbuffer import Flatbuffer

NETWORKS = [  # pixels, options, binary convolutions, cheap convolutions of the fusion
    ("ResNet20", 8, {}, 18, {"DEPTHWISE_CONV_2D": 1}),
    ("CifarResNet18", 16, {}, 16, {"DEPTHWISE_CONV_2D": 1}),
    ("VGGSmall", 8, {}, 5, {"DEPTHWISE_CONV_2D": 1}),
    # eight groups: one convolution for each beside stem, shortcuts and fusion
    ("IR2Net18", 64, {"recovery": "C"}, 16, {"SPLIT": 1, "CONV_2D": 5 + 8}),
    ("IR2Net18", 64, {"recovery": "D"}, 16, {"DEPTHWISE_CONV_2D": 1}),
]
# Convolutions whose only reader is another one, without a pool between, write bits.
WRITING_BITS = {"VGGSmall": 2, "CifarResNet18": 8}


def build(name, size, options):
    shape = {"input_shape": (size, size, 3), "num_classes": 10, "pad_values": 1.0}
    return networks.randomize_batch_norms(
        zoo.models.get(name)("ir2net", **shape, **options)
    )


@pytest.mark.parametrize("name, size, options, binary, cheap", NETWORKS)
def test_networks(name, size, options, binary, cheap, tmp_path):
    model = build(name, size, options)
    images = np.random.default_rng(1).normal(size=(4, size, size, 3))
    result = tflite_export.export(
        model, tmp_path / "model.tflite", samples=images, benchmark=False
    )
    report = result.report
    assert not [one for one in report.findings if one.severity == "error"]
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * binary
    operators = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    counted = collections.Counter(operators)
    assert counted["LceBconv2d"] == binary
    assert counted["LceQuantize"] == binary - WRITING_BITS.get(name, 0)
    assert {operator: counted[operator] for operator in cheap} == cheap
    assert counted["DEPTHWISE_CONV_2D"] == cheap.get("DEPTHWISE_CONV_2D", 0)
    # float32 sums in another order, relative to the largest value
    assert max(part.error for part in report.verification.parts) < 1e-5
    assert {one.agreement for one in report.verification.end_to_end} == {1.0}


def test_recovery_that_was_added_to_a_model(tmp_path):
    model = build("ResNet20", 8, {"recovery": "none"})
    taps = ["stem_act", "stage1_block3_conv2_act", "stage2_block3_conv2_act"]
    recovered = irnet.recovery.add_recovery(
        model, [*taps, "stage3_block3_conv2_act"], ratio=4, groups=2
    )
    result = tflite_export.export(recovered, tmp_path / "model.tflite", benchmark=False)
    assert len(result.report.binary_layers) == 18
    operators = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    assert operators.count("LceBconv2d") == 18
    assert operators.count("SPLIT") == 1
