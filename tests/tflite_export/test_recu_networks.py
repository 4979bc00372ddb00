"""ReCU's networks on the phone: its learned scales cost nothing there."""

import collections

import numpy as np
import pytest

import larq_irnet as irnet
import tflite_export
import zoo
from tests.tflite_export import networks
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer

NETWORKS = [  # pixels, binary convolutions
    ("ResNet20", 8, 18),
    ("VGGSmall", 8, 5),
    ("ResNet18", 64, 16),
    ("ReActNet18", 64, 16),
]
# Batch norms behind a max pool with scales of both signs, which LCE cannot fold: one
# half of each is a MUL.
MULS = {"VGGSmall": 3}
# Convolutions whose only reader is another one, without a pool between, write bits.
WRITING_BITS = {"VGGSmall": 2}


def build(name, size, method):
    options = {"input_shape": (size, size, 3), "num_classes": 10, "pad_values": 1.0}
    model = zoo.models.get(name)(method, **options)
    return networks.randomize_channels(networks.randomize_batch_norms(model))


def count_operators(content):
    return collections.Counter(one.name for one in Flatbuffer(content).operators)


@pytest.mark.parametrize("name, size, binary", NETWORKS)
def test_scales_of_channels_are_folded(name, size, binary, tmp_path):
    model = build(name, size, "recu")
    images = np.random.default_rng(1).normal(size=(4, size, size, 3))
    result = tflite_export.export(
        model, tmp_path / "model.tflite", samples=images, benchmark=False
    )
    report = result.report
    assert not [one for one in report.findings if one.severity == "error"]
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * binary
    operators = count_operators(result.flatbuffer)
    assert operators["LceBconv2d"] == binary
    assert operators["LceQuantize"] == binary - WRITING_BITS.get(name, 0)
    assert operators["MUL"] == MULS.get(name, 0)
    assert operators["PADV2"] == operators["DIV"] == operators["SUB"] == 0
    # float32 sums in another order, relative to the largest value
    assert max(part.error for part in report.verification.parts) < 1e-5
    # of four images; the arg-max of random logits is far from a tie
    assert {one.agreement for one in report.verification.end_to_end} == {1.0}


def test_vgg_small_has_the_multiplications_of_irnets():
    irnets = count_operators(convert(build("VGGSmall", 8, "irnet")))
    assert irnets["MUL"] == MULS["VGGSmall"]


def test_a_kernel_with_the_analytic_scale_is_binary(tmp_path):
    quantizer = irnet.quantizers.ReCU(analytic_scale=True)
    layer = networks.larq_conv(
        "normalized_approx_sign", kernel_quantizer=quantizer, kernel_constraint=None
    )
    result = tflite_export.export(
        networks.network_of(layer), tmp_path / "model.tflite", benchmark=False
    )
    operators = count_operators(result.flatbuffer)
    assert operators == {"LceQuantize": 1, "LceBconv2d": 1}
    assert result.report.findings == ()
