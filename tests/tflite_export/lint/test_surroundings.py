"""What folds and fuses around binary convolutions, and what keeps bits apart."""

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
from tests.tflite_export.lint.lint_case import (
    BINARY,
    Case,
    assert_lint_says_so,
    chain,
    conv,
    quantizer,
)

layers = tf.keras.layers
BITS = "LceQuantize LceBconv2d* LceBconv2d"
NORMALISED = "the ReLU behind it does not fuse, because a normalisation or scale"
HARD_TANH_BEHIND = "the hard tanh behind it does not fuse"


def bn(x):
    return layers.BatchNormalization()(x)


def relu(x):
    return layers.ReLU()(x)


def hard_tanh(x):
    return layers.Activation("hard_tanh")(x)


def prelu(x):
    return layers.PReLU(shared_axes=(1, 2), name="prelu")(x)


def pool(x):
    return layers.MaxPooling2D()(x)


def shift(x):
    return irnet.layers.LearnableBias()(x)


def scale(x):
    return irnet.layers.ChannelScale()(x)


def first(**options):
    return lambda x: conv("first", **options)(x)


def second(x):
    return conv("second")(x)


def with_bias(x):
    return conv("first", use_bias=True, bias_initializer="random_normal")(x)


def scaled(w):
    return 0.3 * lq.math.sign(w)


def scaled_first(**options):
    return first(kernel_quantizer=quantizer(scaled), kernel_constraint=None, **options)


def residual(*behind):
    def build(x):
        x = layers.Add()([bn(conv("first")(x)), x])
        return chain(*behind)(x)

    return build


def centred(x):
    return lq.math.sign(x - tf.reduce_mean(x, axis=(1, 2), keepdims=True))


def gated(x):
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Dense(32, activation="sigmoid")(gate)
    return layers.Multiply()([bn(conv("first")(x)), gate])


ACTIVATIONS = [
    Case("convolution, normalisation", chain(first(), bn)),
    Case("convolution, bias", first(use_bias=True)),
    Case("convolution, scale", chain(first(), scale)),
    Case("convolution, ReLU, normalisation", chain(first(), relu, bn)),
    Case("activation within the layer", chain(first(activation="relu"), bn)),
    Case("ReLU6", chain(first(), layers.ReLU(6.0), bn)),
    Case("hard tanh directly behind", chain(first(), hard_tanh)),
    Case("ReLU, scale, normalisation", chain(first(), relu, scale, bn)),
    Case("no padding", chain(first(padding="valid"), relu, bn)),
    Case("ReLU, normalisation, sign", chain(first(), relu, bn, second), operators=BITS),
    Case(
        "scaled weights, ReLU",
        chain(scaled_first(), relu, bn),
        [("slower", "first", "the weights have scales; it stays an operator with the")],
        f"{BINARY} RELU MUL ADD",
    ),
    Case(
        "scaled weights, ReLU6 alone",
        chain(scaled_first(), layers.ReLU(6.0)),
        [("slower", "first", "the ReLU6 behind it does not fuse, because the weights")],
        f"{BINARY} RELU6",
    ),
    Case(
        "scaled weights, hard tanh",
        chain(scaled_first(), hard_tanh),
        [("slower", "first", HARD_TANH_BEHIND)],
        f"{BINARY} RELU_N1_TO_1",
    ),
    Case(
        "a scale in front of ReLU",
        chain(first(), scale, relu, bn),
        [("slower", "first", "normalisation or scale is in between")],
        f"{BINARY} RELU MUL ADD",
    ),
    Case(
        "zeros around, ReLU",
        chain(first(pad_values=0.0), relu, bn),
        [
            ("slower", "first", "pads with zeros, which LCE corrects"),
            ("slower", "first", "because the convolution pads with zeros"),
        ],
        f"{BINARY} RELU MUL ADD",
    ),
    Case(
        "a bias, ReLU",
        chain(with_bias, relu, bn),
        [("slower", "first", "because the convolution has a bias")],
        f"{BINARY} RELU MUL ADD",
    ),
    Case(
        "leaky ReLU",
        chain(first(), layers.LeakyReLU(), bn),
        [("slower", "first", "LCE has no leaky ReLU")],
        f"{BINARY} LEAKY_RELU MUL ADD",
    ),
    Case(
        "normalisation, ReLU",
        chain(first(), bn, relu),
        [("slower", "first", NORMALISED)],
        f"{BINARY} RELU",
    ),
    Case(
        "normalisation, PReLU",
        chain(first(), bn, prelu),
        [("note", "prelu", "a PReLU stays an operator of its own")],
        f"{BINARY} PRELU",
    ),
    Case(
        "PReLU, normalisation, sign",
        chain(first(), prelu, bn, second),
        [
            ("note", "prelu", "nor does a normalisation behind it fold"),
            ("slower", "second", "a normalisation (MUL and ADD) in front of its sign"),
        ],
        f"{BINARY} PRELU MUL ADD {BINARY}",
    ),
]


FRONTS = [
    Case("normalisation", chain(first(), bn, second), operators=BITS),
    Case("normalisation, shift", chain(first(), bn, shift, second), operators=BITS),
    Case("hard tanh alone", chain(first(), hard_tanh, second), operators=BITS),
    Case("dropout", chain(first(), bn, layers.Dropout(0.1), second), operators=BITS),
    Case(
        "a float convolution in front",
        chain(layers.Conv2D(32, 1), bn, hard_tanh, second),
        operators=f"CONV_2D {BINARY}",
    ),
    Case(
        "sum, hard tanh",
        residual(hard_tanh, second),
        operators=f"{BINARY} ADD {BINARY}",
    ),
    Case("sum, ReLU", residual(relu, second), operators=f"{BINARY} ADD {BINARY}"),
    Case(
        "normalisation, hard tanh, without a sum",
        chain(first(), bn, hard_tanh, second),
        [("slower", "first", HARD_TANH_BEHIND)],
        f"{BINARY} RELU_N1_TO_1 {BINARY}",
    ),
    Case(
        "normalisation, ReLU, sign",
        chain(first(), bn, relu, second),
        [("slower", "first", NORMALISED)],
        f"{BINARY} RELU {BINARY}",
    ),
    Case(
        "sum, shift",
        residual(shift, second),
        [("slower", "second", "a shift (ADD) in front of its sign folds into nothing")],
        f"{BINARY} ADD ADD {BINARY}",
    ),
    Case(
        "sum, normalisation",
        residual(bn, second),
        [("slower", "second", "a normalisation (MUL and ADD) in front of its sign")],
        f"{BINARY} ADD MUL ADD {BINARY}",
    ),
    Case(
        "sum, normalisation, shift",
        residual(bn, shift, second),
        [("slower", "second", "because it comes behind a sum")],
        f"{BINARY} ADD MUL ADD {BINARY}",
    ),
    Case(
        "statistics of the data",
        lambda x: conv(input_quantizer=quantizer(centred))(x),
        [("note", "conv", "statistics of the data")],
        f"MEAN SUB {BINARY}",
    ),
    Case(
        "a gate",
        gated,
        [("note", "first", "as in gating")],
        "LceQuantize MEAN FULLY_CONNECTED LOGISTIC LceBconv2d MUL",
    ),
]

POOLED = "LceQuantize LceBconv2d* LceBMaxPool2d* LceBconv2d"
POOLS = [
    Case("normalisation, pool", chain(first(), bn, pool, second), operators=POOLED),
    Case("pool alone", chain(first(), pool, second), operators=POOLED),
    Case(
        "pool, normalisation",
        chain(first(), pool, bn, second),
        [("slower", "second", "behind a max pool; nor are there packed bits")],
        f"{BINARY} MAX_POOL_2D MUL ADD {BINARY}",
    ),
    Case(
        "pool, normalisation, hard tanh",
        chain(first(), pool, bn, hard_tanh, second),
        [("slower", "second", "behind a max pool; nor are there packed bits")],
        f"{BINARY} MAX_POOL_2D MUL ADD {BINARY}",
    ),
    Case(
        "zeros around the first convolution",
        chain(first(pad_values=0.0), bn, second),
        [("slower", "first", "always with float output, also where a sign follows")],
        f"{BINARY} {BINARY}",
    ),
    Case(
        "zeros around the second convolution",
        chain(first(), bn, lambda x: conv("second", pad_values=0.0)(x)),
        [("slower", "second", "pads with zeros")],
        BITS,
    ),
    Case(
        "zeros around, normalisation, pool",
        chain(first(pad_values=0.0), bn, pool, second),
        [("slower", "first", "pads with zeros")],
        f"{BINARY} LceQuantize LceBMaxPool2d* LceBconv2d",
    ),
    Case(
        "an average of floats",
        chain(first(), bn, layers.AveragePooling2D(), second),
        operators=f"{BINARY} AVERAGE_POOL_2D {BINARY}",
    ),
    Case(
        "an average of signs",
        chain(first(), bn, lq.quantizers.SteSign(), layers.AveragePooling2D(), second),
        [("slower", "second", "an average of signs")],
        f"LceQuantize LceBconv2d* LceDequantize AVERAGE_POOL_2D {BINARY}",
    ),
    # measured with LCE 0.16: not slower than AveragePooling2D and Flatten
    Case(
        "a global average",
        chain(first(), bn, layers.GlobalAveragePooling2D()),
        operators=f"{BINARY} MEAN",
    ),
]

CASES = [*ACTIVATIONS, *FRONTS, *POOLS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_surroundings(case):
    assert_lint_says_so(case)


def test_one_sign_for_two_convolutions_is_one():
    inputs = tf.keras.Input((8, 8, 32))
    x = shift(bn(conv("first")(inputs)))
    outputs = [conv("one")(x), conv("other")(x)]
    assert tflite_export.lint(tf.keras.Model(inputs, outputs)) == []


def test_what_else_is_read_is_no_loss():
    inputs = tf.keras.Input((8, 8, 32))
    x = hard_tanh(bn(conv("first")(inputs)))
    outputs = layers.Add()([x, conv("second")(x)])
    (finding,) = tflite_export.lint(tf.keras.Model(inputs, outputs))
    assert HARD_TANH_BEHIND in finding.reason
