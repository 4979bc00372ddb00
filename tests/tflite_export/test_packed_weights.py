"""Binary kernels of float operators as bits, against the numbers they were."""

import collections

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
from tests.tflite_export import networks
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.half_precision import store_in_float16
from tflite_export.interpreting import KERNELS, run_samples
from tflite_export.packed_weights import pack_binary_weights, packed_bits
from tflite_export.rewrites import in_float32, rewrite_layers

layers = tf.keras.layers


def weights_only_network():
    """Binary kernels of 40 and 48 channels, which fill no whole words, read floats."""
    inputs = tf.keras.Input((8, 8, 3), name="images")
    x = layers.Conv2D(40, 3, name="stem")(inputs)
    x = networks.binary_conv(48, "conv", quantizer="irnet_w1a32", padding="same")(x)
    x = layers.BatchNormalization(name="conv_bn")(x)
    x = irnet.layers.QuantConv2D(
        64, 3, 2, quantizer="irnet_w1a32", activation="relu", name="biased"
    )(x)
    x = layers.Flatten(name="flatten")(x)
    x = irnet.layers.QuantDense(32, quantizer="irnet_w1a32", name="dense")(x)
    outputs = layers.Dense(80, name="logits")(x)
    model = tf.keras.Model(inputs, outputs, name="weights_only")
    return networks.randomize_batch_norms(model)


@pytest.fixture(scope="module")
def model():
    return rewrite_layers(in_float32(weights_only_network(), name="m"))[0]


@pytest.fixture(scope="module")
def converted(model):
    return convert(model)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)


def kinds(content):
    operators = Flatbuffer(content).operators
    return collections.Counter(operator.name for operator in operators)


def test_the_same_numbers_to_the_last_bit(converted, images):
    content, packed = pack_binary_weights(converted)
    assert len(packed) == 3
    assert kinds(content)["LceDequantize"] == 3
    for options in KERNELS.values():
        (ours,) = run_samples(content, [images], **options)
        (theirs,) = run_samples(converted, [images], **options)
        np.testing.assert_array_equal(ours, theirs)


def test_a_weight_takes_a_bit(converted):
    content, _ = pack_binary_weights(converted)
    kernels = [(48, 9, 40, 2), (64, 9, 48, 2), (32, 1, 256, 8)]  # words of inputs
    saved = sum(4 * out * n * (c - words) for out, n, c, words in kernels)
    scales = 4 * (48 + 64 + 32)
    # names, and tables of six new operators and nine new tensors
    assert saved - scales - 3000 < len(converted) - len(content) < saved - scales


def test_what_is_not_binary_stays(converted):
    packed, _ = pack_binary_weights(converted)
    assert pack_binary_weights(packed) == (packed, [])


def test_bits_are_those_of_larq_compute_engine():
    values = np.ones((2, 40))
    values[0, [0, 31, 32]] = -0.5
    expected = [[1 - 2**31, 1], [0, 0]]  # the highest bit is the sign of a word
    np.testing.assert_array_equal(packed_bits(values), expected)


def test_export_packs_and_reports(tmp_path, images):
    model = weights_only_network()
    path = tmp_path / "model.tflite"
    result = tflite_export.export(model, path, samples=images, benchmark=False)
    assert len(result.report.packed_kernels) == 3
    assert kinds(path.read_bytes())["LceDequantize"] == 3
    assert max(part.error for part in result.report.verification.parts) < 1e-5


def test_half_precision_halves(converted, images):
    content, halved = store_in_float16(converted)
    assert len(halved) == 5  # kernels; biases are too small
    constants = 4 * (27 * 40 + 360 * 48 + 432 * 64 + 256 * 32 + 32 * 80)
    assert len(content) < len(converted) - constants / 2 + 3000
    for options in ({}, {"use_xnnpack": True}):
        (ours,) = run_samples(content, [images], **options)
        (theirs,) = run_samples(converted, [images], **options)
        assert (ours != theirs).any()
        # 11 bits of each weight; sums of up to 432 terms average the rounding
        np.testing.assert_allclose(ours, theirs, atol=2e-3 * np.abs(theirs).max())


def test_export_in_half_precision(tmp_path, images):
    model = networks.residual_network(size=8)
    kwargs = {"float16": True, "samples": images, "benchmark": False}
    result = tflite_export.export(model, tmp_path / "model.tflite", **kwargs)
    assert result.report.float16_constants  # of the stem and the classifier
    assert [one.operator for one in result.report.binary_layers] == ["LceBconv2d"] * 2


def test_what_half_precision_cannot_hold_stays():
    dense = layers.Dense(64, use_bias=False)
    model = tf.keras.Sequential([layers.Input((32,)), dense], name="m")
    dense.set_weights([np.full((32, 64), 1e5, np.float32)])
    content = convert(model)
    assert store_in_float16(content) == (content, [])
