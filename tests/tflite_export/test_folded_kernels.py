"""Networks with quantized values for weights compute the same."""

import larq as lq
import numpy as np
import tensorflow as tf

from tests.tflite_export import networks
from tflite_export.binary_layers import find_binary_layers
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.folded_kernels import with_folded_kernels

layers = tf.keras.layers


def test_the_same_numbers_to_the_last_bit():
    model = networks.nested_network()
    folded = with_folded_kernels(model)
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 32)).astype(np.float32)
    np.testing.assert_array_equal(folded.predict(images), model.predict(images))


def test_latent_weights_of_the_model_stay():
    model = networks.plain_network()
    before = [value.copy() for value in model.get_weights()]
    folded = with_folded_kernels(model)
    for one, other in zip(model.get_weights(), before):
        np.testing.assert_array_equal(one, other)
    kernel = folded.get_layer("conv0").kernel.numpy()
    magnitude = np.abs(kernel).reshape(-1, kernel.shape[-1])
    np.testing.assert_array_equal(magnitude, magnitude[:1].repeat(len(magnitude), 0))


def test_a_quantizer_that_does_not_fold_does_not_matter():
    """Beyond 1 MiB TensorFlow leaves the comparison of this one in the graph."""

    def where_sign(x):
        return tf.where(x >= 0.0, 1.0, -1.0)

    conv = lq.layers.QuantConv2D(
        176,
        3,
        input_quantizer="ste_sign",
        kernel_quantizer=where_sign,
        use_bias=False,
        name="conv",
    )
    inputs = tf.keras.Input((4, 4, 176))
    model = tf.keras.Model(inputs, conv(inputs), name="m")
    flatbuffer = Flatbuffer(convert(with_folded_kernels(model)))
    (layer,) = find_binary_layers(model, flatbuffer)
    assert layer.operator == "LceBconv2d"
    assert len(flatbuffer.content) < 3 * 3 * 176 * 176 * 4 / 20
