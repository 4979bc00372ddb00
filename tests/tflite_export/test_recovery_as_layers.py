"""Information recovery taken apart, and in int8."""

import numpy as np
import pytest
import tensorflow as tf

import tflite_export
from larq_irnet.layers import InformationRecovery
from tests.tflite_export import networks
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.recovery_as_layers import recovery_as_layers


def network(**options):
    inputs = tf.keras.Input((6, 6, 8))
    x = tf.keras.layers.Conv2D(16, 3, name="stem")(inputs)
    x = InformationRecovery(name="fusion", **options)(x)
    model = tf.keras.Model(inputs, tf.keras.layers.GlobalAveragePooling2D()(x))
    networks.randomize_batch_norms(model)
    generator = np.random.default_rng(0)
    for part in model.get_layer("fusion").parts:  # not among the layers of the model
        part.set_weights(
            [generator.uniform(0.5, 1.5, one.shape) for one in part.get_weights()]
        )
    return model


@pytest.mark.parametrize(
    "options",
    [
        {"filters": 8, "ratio": 4},
        {"filters": 8, "ratio": 2, "activation": "prelu"},
        {"filters": 8, "ratio": 1},
    ],
)
def test_the_same_function_in_layers(options):
    model = network(**options)
    apart = recovery_as_layers(model)
    assert not any(isinstance(one, InformationRecovery) for one in apart.layers)
    assert apart.get_layer("fusion_primary_conv").filters == 8 // options["ratio"]
    images = np.random.default_rng(1).normal(size=(4, 6, 6, 8)).astype(np.float32)
    expected = model(images).numpy()
    np.testing.assert_allclose(apart(images).numpy(), expected, rtol=1e-5, atol=1e-6)
    fusion = tf.keras.Model(model.input, model.get_layer("fusion").output)
    apart_fusion = tf.keras.Model(apart.input, apart.get_layer("fusion").output)
    np.testing.assert_allclose(
        apart_fusion(images).numpy(), fusion(images).numpy(), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "options",
    [{"filters": 8, "ratio": 3}, {"filters": 8, "ratio": 2, "groups": 2}],
)
def test_what_would_need_slices_or_splits_stays_whole(options):
    model = network(**options)
    assert recovery_as_layers(model) is model


def test_each_convolution_is_within_one_step_of_int8(tmp_path):
    model = network(filters=8, ratio=4)
    images = np.random.default_rng(1).normal(size=(40, 6, 6, 8)).astype(np.float32)
    result = tflite_export.export(
        model, tmp_path / "m.tflite", calibration_data=images, benchmark=False
    )
    names = [one.name for one in Flatbuffer(result.flatbuffer).operators]
    assert {"CONV_2D", "DEPTHWISE_CONV_2D", "CONCATENATION"} <= set(names)
    assert "STRIDED_SLICE" not in names
    parts = {part.layer: part for part in result.report.verification.parts}
    for name in ("fusion_primary_act_int8", "fusion_cheap_act_int8"):
        assert parts[name].error <= 1.01 / 127  # both are clamped to [-1, 1]
