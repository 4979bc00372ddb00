"""What the converter makes of models as they are, and of rewritten ones.

One model holds all cases, each with an input and an output of its own, and is converted
twice. "refused" is by the runtime, "wrong" is a miscompilation.
"""

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import random_inputs
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import run_samples
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers


def conv(filters=32, name=None, **arguments):
    return networks.binary_conv(filters, name, **arguments)


def normalized(x):
    return layers.BatchNormalization()(x)


def unpadded(**arguments):
    return conv(padding="valid", input_quantizer=None, **arguments)


def dense(x):
    x = layers.Flatten()(normalized(conv()(x)))
    x = normalized(irnet.layers.QuantDense(8, quantizer="irnet")(x))
    return irnet.layers.QuantDense(4, quantizer="recu")(x)


def sequence(x):
    layer = irnet.layers.QuantConv1D
    x = layer(32, 3, quantizer="irnet", padding="same", pad_values=1.0)(x)
    return layer(32, 3, quantizer="irnet", padding="causal")(normalized(x))


def groups(x):
    return conv()(normalized(conv(groups=2)(x)))


def hard_tanh(x):
    x = layers.Activation("hard_tanh")(normalized(conv()(x)))
    return conv()(layers.MaxPooling2D()(x))


def pooled(x):
    x = normalized(layers.MaxPooling2D()(conv()(x)))
    return conv(padding="valid")(x)


def pooled_same(x):
    x = normalized(layers.MaxPooling2D(3, 2, padding="same")(conv(pad_values=0.0)(x)))
    return conv(pad_values=0.0)(x)


def padded(x):
    return conv(padding="valid")(layers.ZeroPadding2D()(normalized(conv()(x))))


def padded_signs(x):
    x = layers.ZeroPadding2D()(lq.quantizers.SteSign()(x))
    return unpadded()(x)


def strided_signs(x):
    x = layers.ZeroPadding2D()(lq.quantizers.SteSign()(x))
    return unpadded(strides=2)(x)


def strided_ones(x):
    paddings = [[0, 0], [1, 1], [1, 1], [0, 0]]
    x = tf.pad(lq.quantizers.SteSign()(x), paddings, constant_values=1.0)
    return unpadded(strides=2)(x)


def stem(x):
    return layers.Conv2D(4, 7, strides=2)(layers.ZeroPadding2D(3)(x))


def mobile_stem(x):
    padding = layers.ZeroPadding2D(((0, 1), (0, 1)))
    return layers.DepthwiseConv2D(3, strides=2)(padding(x))


def by_channel(x):
    return conv()(x) * tf.linspace(0.5, 1.5, 32)[None, None, None]


def by_row(x):
    return conv()(x) + tf.reshape(tf.range(8.0), (1, 8, 1, 1))


def binary(count, bits=0):
    return ["LceBconv2d bits"] * bits + ["LceBconv2d"] * (count - bits)


IMAGE = (8, 8, 32)
FLOAT = ["LceDequantize", "CONV_2D"]
PAD = ["PAD"]

# Shape of the input; how the model as it is runs; operators of the rewritten one beside
# `LceQuantize`, and whether each `LceBconv2d` writes bits.
CASES = {
    dense: (IMAGE, "right", [*binary(3, bits=2), "RESHAPE"]),
    sequence: (
        (8, 32),
        "right",
        [*binary(2), "ADD", "MAX_POOL_2D", "PAD", "RESHAPE", "RESHAPE"],
    ),
    groups: ((8, 8, 64), "refused", [*binary(3), "CONCATENATION", "SPLIT"]),
    hard_tanh: (IMAGE, "right", [*binary(2, bits=1), "LceBMaxPool2d"]),
    pooled: (IMAGE, "right", [*binary(2, bits=1), "LceBMaxPool2d"]),
    pooled_same: (IMAGE, "right", [*binary(2), "LceBMaxPool2d"]),
    padded: (IMAGE, "right", binary(2, bits=1)),
    padded_signs: (IMAGE, "right", binary(1)),
    strided_signs: (IMAGE, "wrong", [*binary(1), "MAX_POOL_2D"]),
    strided_ones: (IMAGE, "wrong", [*binary(1), "PAD"]),
    stem: ((16, 16, 3), "wrong", ["CONV_2D"]),
    mobile_stem: ((16, 16, 3), "right", ["DEPTHWISE_CONV_2D"]),
    by_channel: (IMAGE, "refused", binary(1)),
    by_row: (IMAGE, "refused", [*binary(1), "ADD", "MAX_POOL_2D"]),
}


@pytest.fixture(scope="module")
def model():
    inputs = [tf.keras.Input(shape) for shape, *_ in CASES.values()]
    outputs = [case(x) for case, x in zip(CASES, inputs)]
    return networks.randomize_batch_norms(tf.keras.Model(inputs, outputs, name="m"))


@pytest.fixture(scope="module")
def values(model):
    """What Keras computes from random numbers, for each case."""
    inputs = random_inputs(model)
    outputs = [output.numpy() for output in model(inputs)]
    return dict(zip(CASES, zip(inputs, outputs)))


@pytest.fixture(scope="module")
def converted(model):
    return Flatbuffer(convert(model))


@pytest.fixture(scope="module")
def rewritten(model):
    return Flatbuffer(convert(rewrite_layers(model)[0]))


def ends(flatbuffer, case):
    index = [*CASES].index(case)
    inputs, outputs = flatbuffer.named_inputs(), flatbuffer.named_outputs()
    (source,) = [x for name, x in inputs.items() if name.endswith(f"_{index}")]
    return [source], [outputs[f"output_{index}"]]


def outcome(flatbuffer, case, values):
    x, expected = values[case]
    try:
        (actual,) = run_samples(flatbuffer.part(*ends(flatbuffer, case)), [x])
    except RuntimeError:
        return "refused"
    # float32 sums of at most some hundred terms, in another order
    is_close = np.abs(actual - expected).max() <= 1e-5 * np.abs(expected).max()
    return "right" if is_close else "wrong"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rewritten_layers_are_converted_rightly(rewritten, values, case):
    assert outcome(rewritten, case, values) == "right"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rewrites_are_needed(converted, values, case):
    assert outcome(converted, case, values) == CASES[case][1]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rewritten_layers_have_the_operators_that_they_are_meant_to(rewritten, case):
    operators = [
        operator.name + " bits" * _writes_bits(operator)
        for operator in rewritten.operators_between(*ends(rewritten, case))
        if operator.name != "LceQuantize"
    ]
    assert sorted(operators) == sorted(CASES[case][2])


def _writes_bits(operator):
    return operator.name == "LceBconv2d" and operator.outputs[0].dtype == "int32"


SAVED = {  # operators that the model as it is has more of
    dense: {"FULLY_CONNECTED", "LceDequantize"},
    sequence: {"CONV_2D", "LceDequantize"},
    hard_tanh: {"RELU_N1_TO_1"},
    pooled: {"MAX_POOL_2D", "MUL", "ADD"},
    padded: {"PAD"},
    padded_signs: {"CONV_2D", "LceDequantize"},
}


@pytest.mark.parametrize("case", SAVED, ids=lambda case: case.__name__)
def test_operators_that_are_saved(converted, rewritten, case):
    before, after = (
        {one.name for one in flatbuffer.operators_between(*ends(flatbuffer, case))}
        for flatbuffer in (converted, rewritten)
    )
    assert SAVED[case] <= before - after | ({"ADD"} if case is sequence else set())


def test_bytes_that_are_saved(converted, rewritten):
    # float kernels of 32 bits are most of what there was
    assert len(rewritten.content) < 0.5 * len(converted.content)
