"""Quantized kernels are stored, whatever computed them."""

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantized_scope import quantized_scope
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import assert_same_function
from tflite_export.rewrites import rewrite_layers

LAYERS = {
    "irnet": networks.binary_conv(4, "layer"),
    "bias": networks.larq_conv("ste_sign", bias_initializer="ones", name="layer"),
    "function": networks.larq_conv(
        networks.bare_sign, kernel_quantizer=networks.input_scaled_kernel, name="layer"
    ),
    "weights only": irnet.layers.QuantConv2D(
        4, 3, quantizer="irnet_w1a32", name="layer"
    ),
    "depthwise": irnet.layers.QuantDepthwiseConv2D(3, quantizer="irnet", name="layer"),
    "separable": lq.layers.QuantSeparableConv2D(
        4,
        3,
        input_quantizer="ste_sign",
        depthwise_quantizer="ste_sign",
        pointwise_quantizer="ste_sign",
        depthwise_constraint="weight_clip",
        pointwise_constraint="weight_clip",
        name="layer",
    ),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_kernels_are_stored_as_they_are_quantized(layer):
    model = networks.network_of(LAYERS[layer])
    folded, done = rewrite_layers(model)
    assert [(one.layer, one.rewrite) for one in done] == [("layer", "folded kernel")]
    assert_same_function(model, folded)
    with quantized_scope(True):
        quantized = model.get_weights()
    for expected, latent in zip(quantized, folded.get_weights(), strict=True):
        np.testing.assert_array_equal(latent, expected)


def test_kernels_keep_their_precision():
    folded, _ = rewrite_layers(networks.network_of(networks.binary_conv(4, "layer")))
    layer = folded.get_layer("layer")
    assert layer.kernel.precision == 1
    assert layer.kernel_constraint is None


def test_layers_without_quantizers_are_none_of_its_business():
    model = networks.network_of(tf.keras.layers.Conv2D(4, 3))
    result, done = rewrite_layers(model)
    assert (result, done) == (model, [])
