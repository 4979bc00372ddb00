"""Which derived classes are taken for what they derive from."""

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tflite_export.layer_kind import is_a

layers = tf.keras.layers


class OtherDefaults(tf.keras.layers.Dense):
    """Sets arguments, and computes nothing else."""

    def __init__(self, units, use_bias=False, **kwargs):
        super().__init__(units, use_bias=use_bias, **kwargs)

    def get_config(self):
        return super().get_config()


class OtherCall(tf.keras.layers.Dense):
    def call(self, inputs):
        return super().call(inputs) / 8.0


class OtherBuild(tf.keras.layers.Dense):
    def build(self, input_shape):
        super().build((None, 3))


class OfAnother(OtherCall):
    """Computes nothing else than `OtherCall`."""


@pytest.mark.parametrize(
    "layer, kind, expected",
    [
        (layers.Dense(2), layers.Dense, True),
        (layers.Dense(2), layers.Conv2D, False),
        (layers.Dense(2), (layers.Conv2D, layers.Dense), True),
        (irnet.layers.QuantDense(2), lq.layers.QuantDense, True),
        (lq.layers.QuantConv2D(2, 3), layers.Conv2D, True),
        (OtherDefaults(2), layers.Dense, True),
        (OtherCall(2), layers.Dense, False),
        (OtherBuild(2), layers.Dense, False),
        (OfAnother(2), layers.Dense, False),
    ],
)
def test_kinds(layer, kind, expected):
    assert is_a(layer, kind) is expected
