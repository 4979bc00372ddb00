"""Rewrites keep what they promise to keep."""

import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tflite_export.layer_walk import all_layers, is_binary
from tflite_export.rewrite import float_twin, in_float32

BUILDERS = [networks.residual_network, networks.nested_network]


def test_a_float32_model_stays_itself(residual_model):
    assert in_float32(residual_model) is residual_model


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
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
        np.testing.assert_array_equal(before, after)
    shape = (1, *model.input_shape[1:])
    assert rebuilt(tf.ones(shape)).dtype == tf.float32


@pytest.mark.parametrize("build", BUILDERS)
def test_the_float_twin_has_no_quantizers(build):
    model = build()
    twin = float_twin(model)
    assert not any(is_binary(layer) for layer in all_layers(twin))
    assert any(is_binary(layer) for layer in all_layers(model))
    assert twin.count_params() == model.count_params()
    assert twin.output_shape == model.output_shape
