"""Signs of their own become the input quantizers of what reads them."""

import larq as lq
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.layer_walk import is_binary

layers = tf.keras.layers


def read_signs(*readers, sign=None):
    images = tf.keras.Input((6, 6, 4))
    x = (sign or lq.quantizers.SteSign(name="sign"))(images)
    return tf.keras.Model(images, [reader(x) for reader in readers])


def weights_only(name="conv"):
    return networks.binary_conv(4, name, input_quantizer=None)


def test_readers_become_binary():
    result, done = rewritten(read_signs(weights_only("one"), weights_only("two")))
    assert [(one.layer, one.rewrite) for one in done] == [
        ("sign", "sign within convolution")
    ]
    assert kinds(result) == ["QuantConv2D"] * 2
    assert all(is_binary(result.get_layer(name)) for name in ("one", "two"))


def test_signs_that_others_read_stay():
    result, done = rewritten(read_signs(weights_only(), layers.Conv2D(4, 3)))
    assert done == []
    assert not is_binary(result.get_layer("conv"))


def test_ternary_values_stay():
    ternary = lq.quantizers.SteTern(name="sign")
    result, done = rewritten(read_signs(weights_only(), sign=ternary))
    assert done == []
    assert "SteTern" in kinds(result)
