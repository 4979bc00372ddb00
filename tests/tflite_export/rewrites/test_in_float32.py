"""A model of any precision becomes one in float32, the same otherwise."""

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tflite_export.findings import ExportError
from tflite_export.layer_walk import all_layers, is_binary
from tflite_export.rewrites import in_float32


def signs_of_their_own():
    """Quantizers as layers, and with arguments of their own."""
    sign = lq.quantizers.SteSign(clip_value=2.0)
    conv = networks.larq_conv(lq.quantizers.ApproxSign(), kernel_quantizer="libra_pb")
    shapes = [tf.keras.Input((8, 8, 3)), sign, conv, lq.quantizers.SwishSign()]
    return tf.keras.Sequential(shapes)


BUILDERS = [networks.residual_network, networks.nested_network, signs_of_their_own]


def test_the_copy_shares_nothing(residual_model):
    copy = in_float32(residual_model, name="m")
    assert (copy.name, residual_model.name) == ("m", "residual")
    assert not {id(w) for w in copy.weights} & {id(w) for w in residual_model.weights}
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(copy(x), residual_model(x))


def test_training_metrics_are_left_behind():
    with lq.context.metrics_scope(["flip_ratio"]):
        layer = networks.larq_conv("ste_sign")
    model = networks.network_of(layer)
    assert len(in_float32(model).weights) == 2  # kernel and bias


class Configless(tf.keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs

    def get_config(self):
        return {"name": self.name}  # and not the factor


class Unregistered(tf.keras.layers.Layer):
    def __init__(self, factor, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, inputs):
        return self.factor * inputs

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_a_layer_that_keras_does_not_know_is_rebuilt():
    copy = in_float32(networks.network_of(Unregistered(3.0)))
    assert [one.factor for one in copy.layers if type(one) is Unregistered] == [3.0]


def test_a_layer_that_cannot_be_rebuilt_is_an_error():
    with pytest.raises(ExportError, match="give custom layers a get_config"):
        in_float32(networks.network_of(Configless(2.0)))


def test_functions_of_the_same_name_are_told_apart():
    def named():
        @lq.utils.set_precision(1)
        def quantizer(x):
            return lq.math.sign(x)

        return quantizer

    model = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            networks.larq_conv(named(), name="one"),
            networks.larq_conv(named(), name="two"),
        ]
    )
    with pytest.raises(ExportError, match="two: another layer .* called 'quantizer'"):
        in_float32(model)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("build", BUILDERS)
def test_mixed_precision_is_taken_out_everywhere(build, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        model = build()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    rebuilt = in_float32(model)
    for layer in all_layers(rebuilt):
        assert layer.compute_dtype == "float32"
        if is_binary(layer):
            assert layer.input_quantizer.compute_dtype == "float32"
            assert layer.kernel_quantizer.compute_dtype == "float32"
    for before, after in zip(model.get_weights(), rebuilt.get_weights(), strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-7)  # float64 is rounded
    shape = (1, *model.input_shape[1:])
    assert rebuilt(tf.ones(shape)).dtype == tf.float32
