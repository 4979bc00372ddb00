import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.diagnostics import binary_kernels, snapshot, standardized_weights
from larq_irnet.quantized_scope import quantized_scope

layers = irnet.layers


def model_of(*parts, shape):
    return tf.keras.Sequential([tf.keras.Input(shape), *parts])


AXES = {
    "dense": (layers.QuantDense(2, quantizer="irnet"), (4,), (-1,)),
    "conv": (layers.QuantConv2D(2, 3, quantizer="ste_sign"), (6, 6, 3), (-1,)),
    "depthwise of a method": (
        layers.QuantDepthwiseConv2D(3, quantizer="irnet"),
        (6, 6, 3),
        (-2, -1),
    ),
    "depthwise": (
        layers.QuantDepthwiseConv2D(3, quantizer="ste_sign"),
        (6, 6, 3),
        (-2, -1),
    ),
    "transposed": (
        layers.QuantConv2DTranspose(2, 3, quantizer="ste_sign"),
        (6, 6, 3),
        (-2,),
    ),
    "quantizer with axes of its own": (
        lq.layers.QuantConv2DTranspose(2, 3, kernel_quantizer="libra_pb"),
        (6, 6, 3),
        (-1,),
    ),
}


@pytest.mark.parametrize("name", AXES)
def test_filter_axes(name):
    layer, shape, axes = AXES[name]
    # made at import: the layers of a cleared session still have their variables
    (kernel,) = binary_kernels(model_of(layer, shape=shape))
    assert kernel.filter_axes == axes
    assert kernel.name == layer.name


def test_what_is_not_binary_is_left_out():
    model = model_of(
        tf.keras.layers.Conv2D(2, 3),
        lq.layers.QuantConv2D(2, 3, input_quantizer="ste_sign"),
        lq.layers.QuantConv2D(2, 3, kernel_quantizer="ste_tern"),
        layers.QuantConv2D(2, 3, quantizer="float"),
        shape=(16, 16, 3),
    )
    assert binary_kernels(model) == []


def test_binary_weights_of_real_inputs_count():
    layer = layers.QuantConv2D(2, 3, quantizer="irnet_w1a32")
    assert len(binary_kernels(model_of(layer, shape=(6, 6, 3)))) == 1


def test_each_kernel_of_a_layer_and_of_nested_models_once():
    shared = layers.QuantDense(3, quantizer="irnet", name="shared")
    inner = model_of(shared, layers.QuantDense(3, quantizer="recu"), shape=(3,))
    inputs = tf.keras.Input((3,))
    model = tf.keras.Model(inputs, inner(shared(inputs)))
    assert len(binary_kernels(model)) == 2

    separable = lq.layers.QuantSeparableConv2D(
        2,
        3,
        depthwise_quantizer="ste_sign",
        pointwise_quantizer="ste_sign",
        depthwise_constraint="weight_clip",
        pointwise_constraint="weight_clip",
        name="separable",
    )
    kernels = binary_kernels(model_of(separable, shape=(6, 6, 3)))
    assert [(one.name, one.filter_axes) for one in kernels] == [
        ("separable/depthwise_kernel", (-2, -1)),
        ("separable/pointwise_kernel", (-1,)),
    ]


def test_layers_that_are_not_built():
    model = tf.keras.Sequential([layers.QuantDense(2, quantizer="irnet", name="late")])
    with pytest.raises(ValueError, match="built, got 'late' without weights"):
        binary_kernels(model)


@pytest.mark.parametrize("method", ["ste_sign", "irnet", "recu"])
@pytest.mark.parametrize("in_scope", [False, True])
def test_latent_weights_and_their_signs(method, in_scope):
    layer = layers.QuantDense(3, quantizer=method, use_bias=False)
    model = model_of(layer, shape=(8,))
    w = np.random.default_rng(0).normal(0.5, size=(8, 3)).astype(np.float32)
    layer.set_weights([w])
    with quantized_scope(in_scope):
        (kernel,) = snapshot(model)
    np.testing.assert_array_equal(kernel.latent, w)
    np.testing.assert_array_equal(kernel.standardized, standardized_weights(w))
    threshold = 0.0 if method == "ste_sign" else w.mean(0)
    np.testing.assert_array_equal(kernel.signs, np.where(w < threshold, -1, 1))


@pytest.mark.parametrize("method", ["ste_sign", "irnet"])
def test_signs_leave_the_flips_of_the_layer_alone(method):
    with lq.context.metrics_scope(["flip_ratio"]):
        layer = layers.QuantDense(3, quantizer=method, use_bias=False)
        model = model_of(layer, shape=(8,))
    model(tf.ones((2, 8)))
    flips = layer.kernel_quantizer.flip_ratio
    before = [variable.numpy() for variable in flips.variables]
    layer.set_weights([-weights for weights in layer.get_weights()])
    snapshot(model)
    for variable, value in zip(flips.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert float(flips.count) == 1.0


def test_snapshots_are_copies_in_the_order_of_the_model():
    names = ["first", "second", "third"]
    model = model_of(
        *(layers.QuantDense(3, quantizer="irnet", name=name) for name in names),
        shape=(3,),
    )
    kernels = snapshot(model)
    assert [kernel.name for kernel in kernels] == names
    kept = kernels[0].latent.copy()
    variable = model.get_layer("first").kernel
    variable.assign(-variable)
    np.testing.assert_array_equal(kernels[0].latent, kept)
    np.testing.assert_array_equal(kernels[0].signs, -snapshot(model)[0].signs)
