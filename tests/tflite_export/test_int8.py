"""Exports that compute in int8 wherever they do not compute with bits."""

import collections

import numpy as np
import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export import networks
from tflite_export.calibration import Calibration, Range
from tflite_export.conversion import convert
from tflite_export.fake_quantization import (
    FakeQuantization,
    around_zero,
    with_fake_quantization,
)
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.float_binary_outputs import round_after_zero_padding
from tflite_export.int8_rewrites import without_float_operators
from tflite_export.interpreting import run_samples
from tflite_export.quantization_points import activation_name
from tflite_export.rewrites import in_float32
from tflite_export.tensor_matching import match_tensors
from tflite_export.verification import verify

layers = tf.keras.layers


def samples_of(model, count=40, seed=0):
    generator = np.random.default_rng(seed)
    shapes = [(count, *tensor.shape[1:]) for tensor in model.inputs]
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def away_from_zero(*shape):
    """Numbers that do not change their signs where int8 rounds them."""
    generator = np.random.default_rng(0)
    numbers = generator.uniform(0.1, 1.0, shape) * generator.choice([-1, 1], shape)
    return numbers.astype(np.float32)


def many_operators():
    """One of each of what int8 treats on its own, around binary convolutions."""
    tf.keras.utils.set_random_seed(0)
    inputs = tf.keras.Input((8, 8, 3), name="images")
    x = layers.Conv2D(32, 3, padding="same", name="stem")(inputs)
    x = layers.BatchNormalization(name="stem_bn")(x)
    x = layers.ReLU(name="stem_relu")(x)
    shortcut = x = layers.MaxPooling2D(name="stem_pool")(x)
    x = networks.binary_conv(32, "zeros", pad_values=0.0)(x)
    x = layers.BatchNormalization(name="zeros_bn")(x)
    x = layers.Add(name="sum")([x, shortcut])
    x = layers.BatchNormalization(name="sum_bn")(x)
    x = networks.binary_conv(32, "bits")(x)
    x = layers.BatchNormalization(name="bits_bn")(x)
    x = networks.binary_conv(32, "ones")(x)
    x = layers.BatchNormalization(name="ones_bn")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Concatenate(name="both")([x, shortcut])
    x = layers.Conv2D(16, 1, activation="tanh", name="mixed")(x)
    x = layers.AveragePooling2D(name="average")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.BatchNormalization(name="head_bn")(x)
    outputs = layers.Dense(5, activation="softmax", name="classes")(x)
    model = tf.keras.Model(inputs, outputs, name="many_operators")
    return networks.randomize_batch_norms(model)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    model = many_operators()
    (images,) = samples_of(model)
    path = tmp_path_factory.mktemp("many") / "model.tflite"
    return tflite_export.export(
        model, path, calibration_data=images, samples=images, benchmark=False
    )


def kinds(flatbuffer):
    return collections.Counter(operator.name for operator in flatbuffer.operators)


def real_operators(flatbuffer):
    return [
        operator.name
        for operator in flatbuffer.operators
        for tensor in operator.outputs
        if tensor.dtype == "float32"
    ]


def test_nothing_computes_in_float(many):
    flatbuffer = Flatbuffer(many.flatbuffer)
    # the zero-padded convolution, the only one that cannot write int8, and the output
    assert real_operators(flatbuffer) == ["LceBconv2d", "DEQUANTIZE"]


def test_normalisations_are_one_operator_or_none(many):
    found = kinds(Flatbuffer(many.flatbuffer))
    assert "MUL" not in found and found["ADD"] == 1
    assert found["DEPTHWISE_CONV_2D"] == 2  # one was a normalisation behind the sum


def test_bits_stay_bits(many):
    writes_bits = {one.layer: one.writes_bits for one in many.report.binary_layers}
    assert writes_bits == {"zeros": False, "bits": True, "ones": False}


def test_every_part_is_within_steps_of_int8(many):
    assert many.report.verification.findings() == []
    parts = many.report.verification.parts
    assert {part.layer for part in parts} >= {"stem_relu_int8", "sum_int8", "output"}


def test_the_report_says_how_it_was_calibrated(many):
    assert many.report.int8 == Calibration("min_max")
    assert many.report.calibration_samples == 40


def test_a_wrong_int8_part_is_found():
    model = without_float_operators(in_float32(many_operators(), name="m"))
    images = samples_of(model)
    quantized = with_fake_quantization(model, images)
    flatbuffer = Flatbuffer(round_after_zero_padding(convert(quantized)))
    layer = quantized.get_layer("zeros_bn")
    gamma, *rest = layer.get_weights()
    gamma[3] = -gamma[3]  # one of 32 channels
    layer.set_weights([gamma, *rest])
    found = verify(quantized, flatbuffer, samples=images)
    assert [one.layer for one in found.findings()] == ["zeros_bn_int8"]


def test_int8_at_the_edges(tmp_path):
    model = networks.residual_network()
    (images,) = samples_of(model)
    result = tflite_export.export(
        model,
        tmp_path / "model.tflite",
        int8=True,
        calibration_data=images,
        calibration="percentile",
        int8_edges=True,
        samples=images,
        benchmark=False,
    )
    flatbuffer = Flatbuffer(result.flatbuffer)
    assert {"QUANTIZE", "DEQUANTIZE"}.isdisjoint(kinds(flatbuffer))
    (given,), (wanted,) = flatbuffer.inputs, flatbuffer.outputs
    assert given.dtype == wanted.dtype == "int8"
    (stored,) = run_samples(result.flatbuffer, [given.stored(images)])
    assert stored.dtype == np.int8
    expected = model.predict(images, verbose=0)
    # signs flip where int8 rounds to zero; correlation tells right from wrong
    assert np.corrcoef(wanted.real(stored).ravel(), expected.ravel())[0, 1] > 0.9


def test_rewrites_for_int8_are_exact():
    model = many_operators()
    rewritten = without_float_operators(model)
    (images,) = samples_of(model)
    # rounding of float32 in sums of a few hundred terms
    np.testing.assert_allclose(
        rewritten.predict(images, verbose=0),
        model.predict(images, verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )
    kept = {type(layer).__name__ for layer in rewritten.layers}
    assert kept >= {"BatchNormalization", "Activation", "DepthwiseConv2D"}
    names = {layer.name for layer in rewritten.layers}
    assert "head_bn" not in names


def test_what_a_clamp_swallows_has_no_steps():
    inputs = tf.keras.Input((4, 4, 32))
    x = networks.binary_conv(32, "conv")(inputs)
    x = layers.BatchNormalization(name="bn")(x)
    total = layers.Add(name="sum")([x, inputs])
    outputs = layers.Activation("hard_tanh", name="act")(total)
    model = networks.randomize_batch_norms(tf.keras.Model(inputs, outputs))
    images = away_from_zero(40, 4, 4, 32)
    quantized = with_fake_quantization(model, [images])
    limits = quantized.get_layer("bn_int8")
    highest = np.abs(images).max()
    assert limits.high == pytest.approx(1.0 + highest, abs=1e-3)
    assert limits.low == pytest.approx(-1.0 - highest, abs=1e-3)
    # a step of the term and one of the sum
    np.testing.assert_allclose(
        quantized.predict(images, verbose=0),
        model.predict(images, verbose=0),
        atol=(4.0 + 2.0) / 255,
    )


def test_fake_quantization_rejects_a_range_without_zero():
    with pytest.raises(ValueError, match="holds 0 .* got low=0.5, high=1.0"):
        FakeQuantization(0.5, 1.0)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"int8": True}, "Expected calibration_data with int8=True, got none"),
        (
            {"int8": False, "calibration_data": "some"},
            "no calibration_data with int8=False",
        ),
        ({"calibration_data": np.zeros((3, 4, 4, 3))}, "Expected calibration_data of"),
        ({"int8_edges": True}, "int8_edges=True with int8=True only"),
        ({"calibration": "entropy"}, "rule of a calibration"),
    ],
)
def test_arguments_are_checked(arguments, words, tmp_path):
    model = networks.residual_network()
    if isinstance(arguments.get("calibration_data"), str):
        arguments = {**arguments, "calibration_data": samples_of(model)}
    with pytest.raises(ValueError, match=words):
        tflite_export.export(model, tmp_path / "model.tflite", **arguments)
    assert not [*tmp_path.iterdir()]


def convolved(x, name):
    x = networks.binary_conv(32, name, pad_values=1.0)(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)


HEADS = {
    "concatenated": lambda x: layers.Concatenate()([convolved(x, "a"), x]),
    "two concatenated": lambda x: layers.Concatenate()(
        [convolved(x, "a"), convolved(x, "b")]
    ),
    "rectified, with negative ones": lambda x: layers.Concatenate()(
        [layers.ReLU()(convolved(x, "a")), convolved(x, "b")]
    ),
    "sum of rectified ones": lambda x: layers.ReLU()(
        layers.Add()([layers.ReLU(6.0)(convolved(x, "a")), convolved(x, "b")])
    ),
    "largest of two": lambda x: layers.Maximum()([convolved(x, "a"), x]),
    "largest of pixels": lambda x: layers.GlobalMaxPooling2D()(convolved(x, "a")),
    "largest by function": lambda x: tf.reduce_max(convolved(x, "a"), axis=[1, 2]),
    "slice": lambda x: convolved(x, "a")[:, ::2, ::2],
    "means flattened": lambda x: layers.Flatten()(
        layers.AveragePooling2D(2)(convolved(x, "a"))
    ),
    "separable": lambda x: layers.SeparableConv2D(
        16, 3, strides=2, padding="same", depth_multiplier=2, activation="relu"
    )(convolved(x, "a")),
}


@pytest.mark.parametrize("head", HEADS)
def test_layers_behind_a_binary_convolution(head, tmp_path):
    tf.keras.utils.set_random_seed(0)
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(32, 3, padding="same", name="stem")(inputs)
    x = HEADS[head](layers.BatchNormalization(name="stem_bn")(x))
    if len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    model = tf.keras.Model(inputs, layers.Dense(4, name="classes")(x))
    model = networks.randomize_batch_norms(model)
    (images,) = samples_of(model)
    result = tflite_export.export(
        model, tmp_path / "model.tflite", calibration_data=images, benchmark=False
    )
    reasons = [one.reason for one in result.report.findings]
    assert not any("between int8 operators" in reason for reason in reasons)
    assert real_operators(Flatbuffer(result.flatbuffer)) == ["DEQUANTIZE"]


@pytest.mark.parametrize("strides, groups", [(1, 1), (2, 2)])
def test_convolutions_of_sequences(strides, groups, tmp_path):
    tf.keras.utils.set_random_seed(0)
    inputs = tf.keras.Input((40, 8))
    x = inputs
    for number in range(2):
        x = layers.Conv1D(
            16, 5, strides=strides, groups=groups, padding="same", name=f"conv{number}"
        )(x)
        x = layers.BatchNormalization(name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
        x = layers.MaxPooling1D(2, name=f"pool{number}")(x)
    x = layers.GlobalAveragePooling1D()(x)
    model = tf.keras.Model(inputs, layers.Dense(4, name="classes")(x))
    model = networks.randomize_batch_norms(model)
    (sequences,) = samples_of(model)
    result = tflite_export.export(
        model, tmp_path / "model.tflite", calibration_data=sequences, benchmark=False
    )
    flatbuffer = Flatbuffer(result.flatbuffer)
    assert real_operators(flatbuffer) == ["DEQUANTIZE"]
    found = kinds(flatbuffer)
    assert found["CONV_2D"] == 2
    assert {"MUL", "ADD", "RELU"}.isdisjoint(found)
    expected = model.predict(sequences, verbose=0)
    (given,) = run_samples(result.flatbuffer, [sequences])
    np.testing.assert_allclose(given, expected, atol=0.05 * np.abs(expected).max())


def test_what_has_no_operator_in_int8_is_told(tmp_path):
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, name="stem")(inputs)
    x = tf.sin(x)
    model = tf.keras.Model(inputs, layers.Conv2D(4, 1, name="last")(x))
    (images,) = samples_of(model)
    report = tflite_export.export(
        model, tmp_path / "model.tflite", calibration_data=images, benchmark=False
    ).report
    (finding,) = report.findings
    assert (finding.severity, finding.layer) == ("slower", "tf.math.sin")
    assert "in float, between int8 operators" in finding.reason


def test_shared_layers_have_ranges_for_each_call(tmp_path):
    tf.keras.utils.set_random_seed(0)
    inputs = tf.keras.Input((8, 8, 4))
    conv = layers.Conv2D(4, 3, padding="same", name="conv")
    activation = layers.ReLU(name="activation")
    x = activation(conv(activation(conv(inputs))))
    model = tf.keras.Model(inputs, x)
    (images,) = samples_of(model)
    result = tflite_export.export(
        model, tmp_path / "model.tflite", calibration_data=images, benchmark=False
    )
    flatbuffer = Flatbuffer(result.flatbuffer)
    assert kinds(flatbuffer)["CONV_2D"] == 2
    expected = model.predict(images, verbose=0)
    (given,) = run_samples(result.flatbuffer, [images])
    np.testing.assert_allclose(given, expected, atol=0.05 * expected.max())


def ranges(outputs, inputs):
    """Of the int8 activations of a network, by layer."""
    model = tf.keras.Model(inputs, outputs)
    quantized = with_fake_quantization(model, samples_of(model))
    return {
        layer.name.removesuffix("_int8"): (layer.low, layer.high)
        for layer in quantized.layers
        if isinstance(layer, FakeQuantization)
    }


@pytest.mark.parametrize(
    "limits, expected",
    [
        (Range(-2.0, 2.0), (-256 / 127, 2.0)),
        (Range(-0.5, 254.5), (-254.5 / 254, 254.5)),
        (Range(-254.5, 0.5), (-254.5, 254.5 / 254)),
        (Range(-1.0, 254.0), (-1.0, 254.0)),
        (Range(0.0, 6.0), (0.0, 6.0)),
    ],
)
def test_zero_is_not_in_the_middle_of_two_steps(limits, expected):
    found = around_zero(limits)
    assert (found.low, found.high) == pytest.approx(expected)
    step = (found.high - found.low) / 255
    assert found.low / step == pytest.approx(round(found.low / step), abs=1e-6)


def test_what_is_clamped_behind_a_pool_has_the_range_of_the_clamp():
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, kernel_initializer="ones", name="wide")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("hard_tanh", name="clamp")(x)
    found = ranges(layers.Flatten()(x), inputs)
    assert found["wide"] == found["clamp"] == (-128 / 127, 1.0)  # 0 is a step


@pytest.mark.parametrize("highest", [6.0, None])
@pytest.mark.parametrize("pad_values", [0.0, 1.0])
def test_clamps_are_left_to_the_range_of_a_binary_convolution(
    highest, pad_values, tmp_path
):
    inputs = tf.keras.Input((8, 8, 32))
    x = networks.binary_conv(32, "conv", pad_values=pad_values)(inputs)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.ReLU(highest, name="clamp")(x)
    x = layers.DepthwiseConv2D(3, name="depthwise")(x)
    model = networks.randomize_batch_norms(tf.keras.Model(inputs, x, name="m"))
    images = away_from_zero(40, 8, 8, 32)
    before = tf.keras.Model(inputs, model.get_layer("pool").output).predict(
        images, verbose=0
    )
    assert before.min() < -1.0 and before.max() > 6.5  # there is something to clamp

    result = tflite_export.export(
        model,
        tmp_path / "model.tflite",
        calibration_data=images,
        samples=images,
        benchmark=False,
    )
    assert {"RELU", "RELU6"}.isdisjoint(kinds(Flatbuffer(result.flatbuffer)))
    assert result.report.verification.findings() == []
    (step,) = {
        layer.step
        for layer in with_fake_quantization(model, [images]).layers
        if layer.name == "bn_int8"
    }
    assert step == pytest.approx((highest or before.max()) / 255)
    expected = model.predict(images, verbose=0)
    (given,) = run_samples(result.flatbuffer, [images])
    np.testing.assert_allclose(given, expected, atol=0.02 * np.abs(expected).max())


def test_a_clamp_that_changes_something_stays():
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, kernel_initializer="ones")(inputs)
    x = layers.MaxPooling2D()(x)
    x = layers.Activation("hard_tanh", name="from_minus_one")(x)
    outputs = layers.ReLU(name="output")(layers.Conv2D(2, 1)(x))
    model = tf.keras.Model(inputs, outputs)
    quantized = with_fake_quantization(model, samples_of(model))
    names = {layer.name for layer in quantized.layers}
    assert {"from_minus_one", "output"} <= names  # -128/127 is below -1


def test_a_clamp_gives_its_range_to_what_it_clamps():
    inputs = tf.keras.Input((8, 8, 32))
    rectified = layers.ReLU(name="clamp")(convolved(inputs, "a"))
    x = layers.Add()([rectified, convolved(inputs, "b")])
    model = tf.keras.Model(inputs, layers.Flatten()(layers.ReLU(6.0)(x)))
    quantized = with_fake_quantization(model, samples_of(model))
    steps = {layer.name: layer for layer in quantized.layers}
    assert "clamp" not in steps and "clamp_int8" not in steps
    # below, a term makes no sum above zero; above, none below six
    assert steps["a_bn_int8"].low == 0.0
    assert steps["a_bn_int8"].high <= 6.0 - steps["b_bn_int8"].low + 1e-3


def test_what_a_convolution_clamps_is_not_its_input():
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, kernel_initializer="ones", name="wide")(inputs)
    x = layers.AveragePooling2D(name="pool")(x)
    low, high = ranges(layers.Conv2D(2, 1, activation="relu6")(x), inputs)["wide"]
    assert low < -6.0 and high > 6.0


def test_tensors_are_matched_to_what_was_rounded_to_their_steps():
    """The converter names a convolution in int8 after itself, not its normalisation."""
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, use_bias=False, name="stem")(inputs)
    x = layers.BatchNormalization(name="stem_bn")(x)
    shortcut = layers.Conv2D(4, 1, use_bias=False, name="down")(x)
    shortcut = layers.BatchNormalization(name="down_bn")(shortcut)
    x = layers.Add(name="sum")([x, shortcut])
    x = layers.MaxPooling2D(name="pool")(x)
    model = networks.randomize_batch_norms(tf.keras.Model(inputs, x, name="m"))
    quantized = with_fake_quantization(model, samples_of(model))
    flatbuffer = Flatbuffer(convert(quantized))
    matches = {one.layer: one.tensor for one in match_tensors(quantized, flatbuffer)}
    assert {"stem_bn_int8", "down_bn_int8", "sum_int8"} <= set(matches)
    assert not {"stem", "stem_bn", "down", "down_bn", "sum"} & set(matches)
    for name in ("stem_bn_int8", "down_bn_int8", "sum_int8"):
        step = quantized.get_layer(name).step
        assert matches[name].scale == pytest.approx(step, rel=1e-4)
    assert verify(quantized, flatbuffer).findings() == []


def test_a_rebuilt_relu6_is_one():
    config = layers.ReLU(6.0).get_config()
    config["max_value"] = np.array(6.0)  # as out of a saved configuration
    assert activation_name(layers.ReLU.from_config(config)) == "relu6"
