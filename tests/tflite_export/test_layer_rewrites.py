"""Rewritten layers compute the same, and run where the others would not."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tflite_export.conversion import convert
from tflite_export.exporting import export
from tflite_export.findings import ExportError
from tflite_export.interpreting import run_samples
from tflite_export.layer_rewrites import rewrite_layers

layers = tf.keras.layers


def _samples(model, count=3):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, *model.input_shape[1:])).astype(np.float32)


def _dense_network(**options):
    return tf.keras.Sequential(
        [
            tf.keras.Input((4, 4, 8)),
            layers.Flatten(),
            irnet.layers.QuantDense(64, quantizer="recu", name="fc1", **options),
            layers.BatchNormalization(name="bn1"),
            irnet.layers.QuantDense(5, quantizer="dirnet", name="fc2", **options),
        ]
    )


@pytest.mark.parametrize("use_bias", [True, False])
def test_binary_dense_layers_become_convolutions(use_bias):
    model = _dense_network(use_bias=use_bias, bias_initializer="ones")
    networks.randomize_batch_norms(model)
    rewritten = rewrite_layers(model)
    for name in ("fc1", "fc2"):
        assert type(rewritten.get_layer(name)) is irnet.layers.QuantConv2D
    x = _samples(model)
    # sums of at most 128 signs, in another order
    np.testing.assert_allclose(rewritten(x), model(x), rtol=1e-5, atol=1e-5)
    assert rewritten.output_shape == model.output_shape


def test_dense_layers_run_binary_and_are_verified(tmp_path):
    model = _dense_network()
    networks.randomize_batch_norms(model)
    report = export(model, tmp_path / "model.tflite", benchmark=False).report
    assert [one.operator for one in report.binary_layers] == ["LceBconv2d"] * 2
    assert [one.layer for one in report.binary_layers] == ["fc1", "fc2"]


def test_dense_layers_of_sequences_stay_and_are_refused(tmp_path):
    model = tf.keras.Sequential(
        [tf.keras.Input((4, 8)), irnet.layers.QuantDense(3, quantizer="irnet")]
    )
    assert rewrite_layers(model) is model
    with pytest.raises(ExportError, match="no binary kernel for QuantDense"):
        export(model, tmp_path / "model.tflite", benchmark=False)


def _stem(size, padding, kernel, strides, depthwise=False, use_bias=True):
    images = tf.keras.Input((*size, 3))
    x = layers.ZeroPadding2D(padding, name="pad")(images)
    convolution = (
        layers.DepthwiseConv2D(kernel, strides=strides, name="conv", use_bias=use_bias)
        if depthwise
        else layers.Conv2D(4, kernel, strides=strides, name="conv", use_bias=use_bias)
    )
    return tf.keras.Model(images, convolution(x))


STEMS = {
    "resnet": ((16, 16), 3, 7, 2),
    "odd": ((15, 15), 3, 7, 2),
    "even and odd": ((16, 15), 1, 3, 2),
    "mobilenet": ((16, 16), ((0, 1), (0, 1)), 3, 2),
    "stride of three": ((14, 14), 2, 5, 3),
    "one axis": ((16, 12), (3, 1), (7, 3), (2, 1)),
}


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("stem", STEMS)
def test_padding_moves_into_the_convolution(stem, use_bias, depthwise):
    size, padding, kernel, strides = STEMS[stem]
    if depthwise and stem == "one axis":
        strides = (2, 2)  # TensorFlow's depthwise convolutions have equal strides
        size = (16, 11)
    model = _stem(size, padding, kernel, strides, depthwise, use_bias)
    rewritten = rewrite_layers(model)
    assert [layer.name for layer in rewritten.layers][1:] == ["conv"]
    assert rewritten.get_layer("conv").padding == "same"
    x = _samples(model)
    # float32 sums of up to 147 terms
    np.testing.assert_allclose(rewritten(x), model(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize("stem", ["resnet", "odd", "mobilenet"])
def test_the_converter_computes_rewritten_stems_rightly(stem, depthwise):
    model = _stem(*STEMS[stem], depthwise)
    x = _samples(model)
    (outputs,) = run_samples(convert(rewrite_layers(model)), [x])
    np.testing.assert_allclose(outputs, model(x), rtol=1e-4, atol=1e-5)


def test_the_converter_alone_computes_the_stem_of_resnet_wrongly():
    # or the rewrite is not needed any more
    model = _stem(*STEMS["resnet"])
    x = _samples(model)
    (outputs,) = run_samples(convert(model), [x])
    assert np.abs(outputs - model(x)).max() > 0.1 * np.abs(model(x)).max()


def test_layers_of_models_within_the_model_are_rewritten(tmp_path):
    images = tf.keras.Input((16, 16, 3))
    stem = _stem(*STEMS["resnet"])
    x = layers.GlobalAveragePooling2D()(stem(images))
    x = irnet.layers.QuantDense(8, quantizer="irnet", name="binary")(x)
    model = tf.keras.Model(images, x)
    rewritten = rewrite_layers(model)
    assert rewritten.get_layer("conv").padding == "same"
    np.testing.assert_allclose(
        rewritten(_samples(model)), model(_samples(model)), rtol=1e-5, atol=1e-5
    )
    report = export(model, tmp_path / "model.tflite", benchmark=False).report
    assert [one.layer for one in report.binary_layers] == ["binary"]


@pytest.mark.parametrize(
    ("size", "padding", "kernel", "strides"),
    [
        ((16, 16), 3, 7, 1),  # right as it is
        ((16, 16), 5, 7, 2),  # more outputs than "same" padding gives
        ((16, 16), 0, 7, 2),  # fewer
        ((None, None), 3, 7, 2),  # not known
    ],
)
def test_other_padding_stays(size, padding, kernel, strides):
    model = _stem(size, padding, kernel, strides)
    assert rewrite_layers(model) is model


def test_padding_that_others_read_stays():
    model = _stem(*STEMS["resnet"])
    both = tf.keras.Model(model.input, [model.output, model.get_layer("pad").output])
    assert rewrite_layers(both) is both


def test_shared_layers_are_left_alone():
    shared, images = layers.Dense(4), tf.keras.Input((4,))
    hidden = irnet.layers.QuantDense(4, quantizer="irnet")(shared(images))
    model = tf.keras.Model(images, shared(hidden))
    assert rewrite_layers(model) is model
