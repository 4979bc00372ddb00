import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from zoo.models.depthwise_separable import (
    chosen_block,
    depthwise,
    has_binary_inputs,
    pointwise,
)
from zoo.models.network_pieces import NetworkPieces

REAL = ["float", "irnet_w1a32"]
BINARY = sorted({*irnet.methods.names()} - {*REAL})


def test_shortcuts_of_their_own_where_activations_are_binary():
    for name in REAL:
        assert not has_binary_inputs(irnet.methods.get(name))
        assert chosen_block(None, irnet.methods.get(name)) == "normal"
    for name in BINARY:
        method = irnet.methods.get(name)
        for one in (method, method.with_real_weights()):  # of two stages
            assert has_binary_inputs(one)
            assert chosen_block(None, one) == "bi_real"
            assert chosen_block("normal", one) == "normal"


@pytest.mark.parametrize("block", ["dense", "", 1])
def test_unknown_blocks(block):
    message = rf"`block` out of \['bi_real', 'normal'\], got {block!r}"
    with pytest.raises(ValueError, match=message):
        chosen_block(block, irnet.methods.get("irnet"))


@pytest.mark.parametrize(
    "strides, dilation, where, seen",
    [
        (1, 1, 1, slice(0, 3)),
        (2, 1, 0, slice(0, 3)),  # of an even size the first window is not padded
        (1, 2, 2, slice(0, 5, 2)),
    ],
)
def test_depthwise_convolutions_look_at_one_channel(strides, dilation, where, seen):
    images = tf.keras.Input((6, 6, 2))
    ones = tf.keras.initializers.Ones()
    x = depthwise(images, 3, "d", initializer=ones, strides=strides, dilation=dilation)
    pixels = np.arange(72.0).reshape(1, 6, 6, 2)
    outputs = tf.keras.Model(images, x)(pixels).numpy()
    assert outputs.shape == (1, 6 // strides, 6 // strides, 2)
    expected = pixels[:, seen, seen].sum((1, 2))
    np.testing.assert_allclose(outputs[:, where, where], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "filters, block, is_added",
    [(4, "bi_real", True), (4, "normal", False), (8, "bi_real", False)],
)
def test_pointwise_convolutions(filters, block, is_added):
    pieces = NetworkPieces(
        method=irnet.methods.get("ste_sign"),
        pad_values=0.0,
        alignment="tensorflow",
        bn_gamma="ones",
        synchronized_batch_norm=False,
        kernel_initializer=tf.keras.initializers.Ones,
    )
    images = tf.keras.Input((2, 2, 4))
    model = tf.keras.Model(images, pointwise(pieces, images, filters, "p", block=block))
    pixels = tf.random.normal((3, 2, 2, 4))
    signs = tf.where(pixels < 0, -1.0, 1.0)
    expected = tf.reduce_sum(signs, -1, keepdims=True) / np.sqrt(1 + 1e-5)
    expected = tf.repeat(expected, filters, axis=-1)
    expected = expected + pixels if is_added else expected
    np.testing.assert_allclose(model(pixels), expected, rtol=1e-5, atol=1e-6)
