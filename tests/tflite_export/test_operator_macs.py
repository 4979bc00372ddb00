import pytest
import tensorflow as tf

from tests.tflite_export.networks import binary_conv
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.operator_macs import multiply_accumulates

layers = tf.keras.layers


@pytest.fixture(scope="module")
def operators():
    inputs = tf.keras.Input((8, 8, 6))
    x = layers.Conv2D(12, 3, strides=2, groups=2, padding="same")(inputs)
    x = layers.DepthwiseConv2D((5, 3), padding="same")(x)
    x = binary_conv(40, "binary")(x)  # of 12 channels, in one word
    x = binary_conv(8, "wide")(x)  # of 40 channels, in two
    x = layers.Conv2DTranspose(4, 2, strides=2)(x)
    x = layers.Dense(3)(layers.Flatten()(x))
    flatbuffer = Flatbuffer(convert(tf.keras.Model(inputs, x)))
    counts: dict[str, list[int]] = {}
    for operator in flatbuffer.operators:
        counts.setdefault(operator.name, []).append(multiply_accumulates(operator))
    return counts


@pytest.mark.parametrize(
    "name, expected",
    [
        ("CONV_2D", [4 * 4 * 12 * 3 * 3 * 3]),
        ("DEPTHWISE_CONV_2D", [4 * 4 * 12 * 5 * 3]),
        ("LceBconv2d", [4 * 4 * 40 * 9 * 12, 4 * 4 * 8 * 9 * 40]),
        ("TRANSPOSE_CONV", [4 * 4 * 8 * 2 * 2 * 4]),
        ("FULLY_CONNECTED", [8 * 8 * 4 * 3]),
    ],
)
def test_multiplications_with_kernels(operators, name, expected):
    assert operators[name] == expected


def test_others_have_none(operators):
    counted = ("CONV_2D", "DEPTHWISE_CONV_2D", "LceBconv2d", "TRANSPOSE_CONV")
    others = [
        count
        for name, counts in operators.items()
        if name not in (*counted, "FULLY_CONNECTED")
        for count in counts
    ]
    assert others and not any(others)
