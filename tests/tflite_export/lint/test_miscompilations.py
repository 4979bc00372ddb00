"""Networks that convert without a word, and compute something else or nothing."""

import larq as lq
import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export.lint.lint_case import (
    BINARY,
    Case,
    assert_lint_says_so,
    chain,
    conv,
)
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers
TAKEN_FOR_SAME = 'which LCE takes for padding="same"'
ONCE = ((0, 0), (1, 1), (1, 1), (0, 0))


class Scale(tf.keras.layers.Layer):
    """A scale of any shape."""

    def __init__(self, shape, **options):
        super().__init__(**options)
        self.shape = shape

    def build(self, input_shape):
        initializer = tf.keras.initializers.RandomUniform(0.5, 1.5, seed=1)
        self.scale = self.add_weight("scale", self.shape, initializer=initializer)

    def call(self, inputs):
        return inputs * self.scale

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


def sign(x):
    return lq.quantizers.SteSign()(x)


def with_ones(x):
    return tf.pad(x, ONCE, constant_values=1.0)


def with_zeros(x):
    return layers.ZeroPadding2D()(x)


def of_signs(**options):
    arguments = {"input_quantizer": None, "padding": "valid", **options}
    return lambda x: conv(**arguments)(x)


def first(**options):
    return lambda x: conv("first", **options)(x)


def strided(x):
    return layers.Conv2D(8, 3, strides=2, name="stem")(x)


def read_twice(x):
    padded = with_zeros(x)
    return layers.Add()([strided(padded), layers.Conv2D(8, 3, strides=2)(padded)])


PADDED_SIGNS = [
    Case(
        "ones around signs, stride 2, even size",
        chain(sign, with_ones, of_signs(strides=2)),
        [("error", "conv", TAKEN_FOR_SAME)],
        values="wrong",
    ),
    Case(
        "ones around signs, stride 2, one even size",
        chain(sign, with_ones, of_signs(strides=2)),
        [("error", "conv", TAKEN_FOR_SAME)],
        values="wrong",
        input_shape=(8, 9, 32),
    ),
    Case(
        "ones around signs, stride 2, odd size",
        chain(sign, with_ones, of_signs(strides=2)),
        input_shape=(9, 9, 32),
    ),
    Case("ones around signs, stride 1", chain(sign, with_ones, of_signs())),
    Case(
        "ones around signs, as TensorFlow does",
        chain(
            sign,
            lambda x: tf.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1.0),
            of_signs(strides=2),
        ),
    ),
    Case(
        "ones around signs, at the other side",
        chain(
            sign,
            lambda x: tf.pad(x, ((0, 0), (1, 0), (1, 0), (0, 0)), constant_values=1.0),
            of_signs(strides=2),
        ),
        [("error", "conv", 'not as padding="same" does; the layer would stay float')],
        "LceQuantize LceDequantize PADV2 CONV_2D",
    ),
    Case(
        "zeros around signs",
        chain(sign, with_zeros, of_signs()),
        [("error", "conv", "padded with 0, not with 1")],
        "LceQuantize LceDequantize CONV_2D",
    ),
    Case(
        "zeros in front of the sign",
        chain(with_zeros, conv(strides=2, padding="valid")),
        operators=f"PAD {BINARY}",
    ),
]

PADDED_FLOATS = [
    Case(
        "zeros, stride 2, even size",
        chain(with_zeros, strided),
        [("error", "stem", TAKEN_FOR_SAME)],
        "CONV_2D",
        values="wrong",
    ),
    Case(
        "zeros, stride 2, odd size",
        chain(with_zeros, strided),
        operators="CONV_2D",
        input_shape=(9, 9, 3),
    ),
    Case("zeros, stride 1", chain(with_zeros, layers.Conv2D(8, 3)), (), "CONV_2D"),
    Case(
        "zeros, stride 3",
        chain(with_zeros, layers.Conv2D(8, 3, strides=3, name="stem")),
        [("error", "stem", TAKEN_FOR_SAME)],
        "CONV_2D",
        values="wrong",
        input_shape=(9, 9, 3),
    ),
    Case(
        "zeros, depthwise",
        chain(with_zeros, layers.DepthwiseConv2D(3, strides=2, name="stem")),
        [("error", "stem", TAKEN_FOR_SAME)],
        "DEPTHWISE_CONV_2D",
        values="wrong",
    ),
    Case(
        "zeros by a function",
        chain(lambda x: tf.pad(x, ONCE), strided),
        [("error", "stem", TAKEN_FOR_SAME)],
        "CONV_2D",
        values="wrong",
    ),
    Case(
        "zeros behind alone, as Keras' MobileNet",
        chain(layers.ZeroPadding2D(((0, 1), (0, 1))), strided),
        operators="CONV_2D",
    ),
    Case(
        "zeros in front alone",
        chain(layers.ZeroPadding2D(((1, 0), (1, 0))), strided),
        operators="PAD CONV_2D",
    ),
    Case(
        "zeros that two read",
        read_twice,
        operators="PAD CONV_2D CONV_2D ADD",
    ),
    Case(
        "a max pool",
        chain(with_zeros, layers.MaxPooling2D(3, 2)),
        operators="PAD MAX_POOL_2D",
    ),
]


def scaled(shape, *behind, values="refused", operators=BINARY):
    words = f"constant of shape {shape}; LCE fuses that, and refuses it"
    return Case(
        f"a scale {shape}" + ", normalisation and sign" * bool(behind),
        chain(first(), lambda x: Scale(shape)(x), *behind),
        [] if values == "right" else [("error", "first", words)],
        operators,
        values=values,
    )


SCALES = [
    scaled((32,), values="right"),
    scaled((), values="right"),
    scaled((1, 1, 1, 32)),
    scaled((1, 8, 1, 1)),
    scaled((1, 32)),
    scaled(
        (1, 1, 1, 32),
        lambda x: layers.BatchNormalization()(x),
        lambda x: conv("second")(x),
        values="wrong",
        operators="LceQuantize LceBconv2d* LceBconv2d",
    ),
    Case(
        "a shift (1, 1, 1, 32)",
        chain(first(), lambda x: x + tf.reshape(tf.range(32.0), (1, 1, 1, 32))),
        [("error", "first", "added to a constant of shape (1, 1, 1, 32)")],
        values="refused",
    ),
    Case(
        "a scale (1, 1, 1, 32) behind a pool",
        chain(first(), layers.MaxPooling2D(), lambda x: Scale((1, 1, 1, 32))(x)),
        operators=f"{BINARY} MAX_POOL_2D MUL",
    ),
]

CASES = [*PADDED_SIGNS, *PADDED_FLOATS, *SCALES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_trap(case):
    assert_lint_says_so(case)


def test_what_the_export_heals_is_no_error_any_more():
    images = tf.keras.Input((8, 8, 3))
    model = tf.keras.Model(images, strided(with_zeros(images)))
    assert [one.severity for one in tflite_export.lint(model)] == ["error"]
    assert tflite_export.lint(rewrite_layers(model)[0]) == []


def test_what_the_export_cannot_heal_stays_an_error():
    images = tf.keras.Input((8, 8, 3))
    shared = layers.Conv2D(3, 3, strides=2, name="shared")
    x = shared(with_zeros(images))
    model = tf.keras.Model(images, shared(with_zeros(x)))
    (finding,) = tflite_export.lint(rewrite_layers(model)[0])
    assert (finding.severity, finding.layer) == ("error", "shared")
    assert "called once each" in finding.remedy
