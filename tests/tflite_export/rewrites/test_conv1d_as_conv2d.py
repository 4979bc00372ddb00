"""Binary convolutions of sequences become those of rows."""

from typing import Any

import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.rewrites import rewrite_layers

CASES: dict[str, dict[str, Any]] = {
    "valid": {"padding": "valid"},
    "valid, dilated": {"padding": "valid", "dilation_rate": 2},
    "same, zeros": {"padding": "same", "strides": 2},
    "same, ones": {"padding": "same", "pad_values": 1.0, "dilation_rate": 3},
    "groups": {"padding": "same", "groups": 2},
    "activation": {"padding": "same", "activation": "hard_tanh"},
    "causal": {"padding": "causal"},
    "causal, strides": {"padding": "causal", "strides": 2},
    "causal, dilated": {"padding": "causal", "dilation_rate": 3},
    "causal, activation": {"padding": "causal", "activation": "relu"},
    "causal, one tap": {"padding": "causal", "kernel_size": 1},
}


@pytest.mark.parametrize("case", CASES)
def test_rows_are_convolved(case):
    arguments: dict[str, Any] = {"kernel_size": 3, **CASES[case]}
    layer = irnet.layers.QuantConv1D(
        6,
        name="conv",
        quantizer="irnet",
        bias_initializer=tf.keras.initializers.Constant(0.3),
        **arguments
    )
    model = networks.network_of(layer, (11, 4))
    result, done = rewritten(model)
    assert done[0].layer == "conv"
    assert "QuantConv1D" not in kinds(result)
    assert result.output_shape == model.output_shape


def test_sequences_of_unknown_length_stay():
    layer = irnet.layers.QuantConv1D(6, 3, quantizer="irnet")
    inputs = tf.keras.Input((None, 4))
    result, _ = rewrite_layers(tf.keras.Model(inputs, layer(inputs)))
    assert kinds(result) == ["QuantConv1D"]
