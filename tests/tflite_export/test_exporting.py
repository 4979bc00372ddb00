"""The whole contract: what an export promises, and when it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
import zoo
from tests.tflite_export import networks
from tests.tflite_export.networks import larq_conv, network_of
from tflite_export import exporting
from tflite_export.interpreting import FAST_KERNEL


def test_the_report_holds_what_was_measured(exported_residual, residual_samples):
    report = exported_residual.report
    assert report.findings == ()
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * 2
    assert report.model_bytes == len(exported_residual.flatbuffer)
    assert report.float_bytes > report.model_bytes
    assert [one.name for one in report.latencies] == [
        "binary, LCE default kernel",
        "binary, LCE indirect kernel",
        f"binary, LCE {FAST_KERNEL} kernel, XNNPACK",
    ]
    assert [one.name for one in report.twins] == ["float twin, XNNPACK"]
    measured = (*report.latencies, *report.twins)
    assert all(0 < one.fastest_ms <= one.median_ms for one in measured)
    assert report.fastest in report.latencies
    operators = [one.kind for one in report.operator_latencies]
    assert operators.count("LceBconv2d") == 2
    assert report.verification.keras_accuracy == 1.0  # labels are Keras' own
    for end in report.verification.end_to_end:
        assert end.accuracy == end.agreement
        assert end.agreement > 0.95  # of 40 random images; flips may cost one


def test_macs_and_bytes_of_a_binary_layer(exported_residual):
    layer = exported_residual.report.binary_layers[0]
    assert layer.macs == 8 * 8 * 32 * 3 * 3 * 32
    assert layer.constant_bytes == 9 * 32 * 4 + 2 * 32 * 4
    assert not layer.writes_bits


def test_all_18_binary_convolutions_of_resnet20(tmp_path):
    model = networks.randomize_batch_norms(
        zoo.ResNet20("irnet", input_shape=(8, 8, 1), pad_values=1.0)
    )
    report = tflite_export.export(
        model, tmp_path / "model.tflite", benchmark=False
    ).report
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * 18
    assert {finding.severity for finding in report.findings} == {"note"}
    assert max(part.error for part in report.verification.parts) < 1e-5


@pytest.mark.parametrize(
    "layer, input_shape, words",
    [
        (larq_conv(networks.bare_sign), (8, 8, 32), ["conv", "tf.sign", "Remedy"]),
        (larq_conv("ste_tern"), (8, 8, 32), ["conv", "ternary", "Remedy"]),
        (
            irnet.layers.QuantDense(4, quantizer="irnet", name="dense"),
            (7, 32),
            ["dense", "no binary kernel for QuantDense", "inputs [N, C]"],
        ),
    ],
)
def test_bad_models_are_refused(tmp_path, layer, input_shape, words):
    with pytest.raises(tflite_export.ExportError) as refusal:
        tflite_export.export(network_of(layer, input_shape), tmp_path / "m.tflite")
    assert all(word in str(refusal.value) for word in words)
    assert [finding.layer for finding in refusal.value.findings] == [layer.name]
    assert list(tmp_path.iterdir()) == []


def test_every_finding_is_listed():
    inputs = tf.keras.Input((8, 8, 32))
    x = larq_conv(networks.bare_sign, name="one")(inputs)
    x = larq_conv("ste_tern", name="two")(x)
    with pytest.raises(tflite_export.ExportError) as refusal:
        tflite_export.export(tf.keras.Model(inputs, x), "/tmp/never.tflite")
    assert [finding.layer for finding in refusal.value.findings] == ["one", "two"]


def test_without_strict_a_bad_model_is_exported_and_reported(tmp_path):
    model = network_of(larq_conv(networks.bare_sign))
    result = tflite_export.export(
        model, tmp_path / "m.tflite", strict=False, benchmark=False
    )
    assert [layer.operator for layer in result.report.binary_layers] == [""]
    reasons = [finding.reason for finding in result.report.findings]
    assert any("0 of 1 binary layers" in reason for reason in reasons)
    assert (tmp_path / "m.tflite").read_bytes() == result.flatbuffer


def test_a_model_trained_in_mixed_precision_is_exported(tmp_path):
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = zoo.ResNet20("irnet", input_shape=(8, 8, 1), pad_values=1.0)
        model.compile(
            tf.keras.optimizers.SGD(0.01),
            tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        digits = zoo.datasets.get("digits").arrays("train")
        model.fit(digits.images[:64], digits.labels[:64], verbose=0)
        report = tflite_export.export(  # in the program that trained it
            model, tmp_path / "m.tflite", samples=digits.images[:32], benchmark=False
        ).report
        assert tf.keras.mixed_precision.global_policy().name == "mixed_float16"
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * 18


def test_models_of_several_inputs_and_outputs(tmp_path):
    report = tflite_export.export(
        networks.two_headed_network(), tmp_path / "m.tflite", benchmark=False
    ).report
    assert report.findings == ()
    assert [part.layer for part in report.verification.parts].count("output") == 2


def test_a_model_without_binary_layers_is_exported(tmp_path):
    report = tflite_export.export(
        network_of(tf.keras.layers.Conv2D(4, 3)), tmp_path / "m.tflite", benchmark=False
    ).report
    assert report.binary_layers == ()


class Subclassed(tf.keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize("model", [Subclassed(), None, tf.keras.layers.Dense(2)])
def test_other_models_are_refused(tmp_path, model):
    with pytest.raises(ValueError, match="Expected a built functional or sequential"):
        tflite_export.export(model, tmp_path / "m.tflite")


def test_the_input_size_has_to_be_fixed(tmp_path):
    model = network_of(larq_conv("ste_sign"), (None, None, 32))
    with pytest.raises(ValueError, match="Expected inputs of fixed size"):
        tflite_export.export(model, tmp_path / "m.tflite")


def test_names_that_tensorflow_cannot_use(tmp_path):
    inputs = tf.keras.Input((4,), name="my input")
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(inputs), name="my model")
    with pytest.raises(ValueError, match=r"got \['my input'\]"):
        tflite_export.export(model, tmp_path / "m.tflite")


def test_model_names_may_be_anything(tmp_path):
    inputs = tf.keras.Input((8, 8, 32))
    outputs = networks.binary_conv(32, "conv")(inputs)
    model = tf.keras.Model(inputs, outputs, name="my very own model, the second one")
    report = tflite_export.export(model, tmp_path / "m.tflite", benchmark=False).report
    assert report.model == model.name
    assert report.findings == ()


def test_a_layer_that_another_model_uses_too(tmp_path):
    layer = networks.binary_conv(32, "conv")
    one = network_of(layer)
    network_of(layer)
    report = tflite_export.export(one, tmp_path / "m.tflite", benchmark=False).report
    assert report.findings == ()


def test_the_function_survives_an_import_of_its_command_line():
    # in a process of its own: flags of several command lines would collide
    script = (
        "import importlib, tflite_export; "
        "importlib.import_module('tflite_export.export'); "
        "tflite_export.export(None, 'm.tflite')"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert "ValueError: Expected a built functional" in process.stderr


def test_an_unbuilt_model_is_refused(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="Expected a built functional or sequential"):
        tflite_export.export(model, tmp_path / "m.tflite")


def test_paths_are_checked_before_the_work(tmp_path, residual_model):
    with pytest.raises(ValueError, match="Expected an existing folder"):
        tflite_export.export(residual_model, tmp_path / "none" / "m.tflite")
    with pytest.raises(ValueError, match="got the folder"):
        tflite_export.export(residual_model, tmp_path)


def test_a_path_stands_for_the_model_in_it(tmp_path, monkeypatch):
    path = tmp_path / "net.keras"
    read = network_of(larq_conv("ste_tern"))  # refused later on
    monkeypatch.setattr(
        exporting, "read_model_file", lambda given, **limits: {path: read}[given]
    )
    with pytest.raises(tflite_export.ExportError, match="conv: .*ternary"):
        tflite_export.export(path, tmp_path / "m.tflite")


def test_a_path_without_a_model(tmp_path):
    with pytest.raises(tflite_export.ModelFileError, match="found none at .*none.h5"):
        tflite_export.export(str(tmp_path / "none.h5"), tmp_path / "m.tflite")


@pytest.mark.parametrize("shape", [(4, 8, 8, 1), (0, 8, 8, 3), (8, 8, 3)])
def test_samples_have_to_fit(tmp_path, residual_model, shape):
    with pytest.raises(ValueError, match="Expected samples of shape"):
        tflite_export.export(
            residual_model, tmp_path / "m.tflite", samples=np.zeros(shape)
        )


def test_labels_have_to_fit(tmp_path, residual_model, residual_samples):
    images, labels = residual_samples
    with pytest.raises(ValueError, match="one label for each of the 40 samples"):
        tflite_export.export(
            residual_model, tmp_path / "m.tflite", samples=images, labels=labels[:3]
        )


def test_what_was_rewritten_is_reported_and_verified(tmp_path):
    inputs = tf.keras.Input((8, 8, 64))
    x = networks.binary_conv(32, "conv", groups=2, pad_values=0.0)(inputs)
    x = tf.keras.layers.Activation("hard_tanh", name="act")(x)
    x = networks.binary_conv(32, "next", strides=8)(x)
    x = tf.keras.layers.Flatten()(x)
    x = irnet.layers.QuantDense(3, quantizer="recu", name="dense")(x)
    result = tflite_export.export(
        tf.keras.Model(inputs, x), tmp_path / "m.tflite", benchmark=False
    )
    report = result.report
    assert [(one.layer, one.rewrite) for one in report.rewrites] == [
        *[(name, "folded kernel") for name in ("conv", "next", "dense")],
        ("dense", "dense as convolution"),
        ("conv", "groups as convolutions"),
        ("act", "activation before sign"),
    ]
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * 4
    assert "error" not in {finding.severity for finding in report.findings}
    assert json.loads(report.to_json())["rewrites"][-1]["layer"] == "act"
    assert {end.agreement for end in report.verification.end_to_end} == {1.0}


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("join", ["operator", "layer"])
def test_binary_branches_of_one_input_are_joined(size, join, tmp_path):
    images = tf.keras.Input((8, 8, 32))
    branches = [
        tf.keras.layers.BatchNormalization()(
            networks.binary_conv(32, f"conv{index}", kernel_size=kernel)(images)
        )
        for index, kernel in enumerate((3, size))
    ]
    x = sum(branches[1:], branches[0])
    if join == "layer":
        x = tf.keras.layers.Add()(branches)
    model = networks.randomize_batch_norms(tf.keras.Model(images, x))
    report = tflite_export.export(model, tmp_path / "m.tflite", benchmark=False).report
    assert [layer.operator for layer in report.binary_layers] == ["LceBconv2d"] * 2
    kernels = [layer.kernel_shape[0] for layer in report.binary_layers]
    sizes = [layer.constant_bytes for layer in report.binary_layers]
    assert kernels == [3, size]
    assert (sizes[0] == sizes[1]) == (size == 3)  # not taken for each other


@pytest.mark.parametrize("scale", ["untrained", "factor", "layer"])
def test_a_factor_without_a_shift_behind_a_convolution(scale, tmp_path):
    """The converter names the result after the convolution, which has no factor."""
    images = tf.keras.Input((8, 8, 3))
    x = tf.keras.layers.Conv2D(32, 3, use_bias=False, name="stem")(images)
    if scale == "factor":
        x = x * 0.5
    elif scale == "layer":
        initializer = tf.keras.initializers.RandomUniform(0.5, 2.0)
        x = irnet.layers.ChannelScale(initializer=initializer)(x)
    else:
        x = tf.keras.layers.BatchNormalization()(x)
    model = tf.keras.Model(images, networks.binary_conv(32, "conv")(x))
    report = tflite_export.export(model, tmp_path / "m.tflite", benchmark=False).report
    assert max(part.error for part in report.verification.parts) < 1e-5


def test_images_of_bytes_need_no_samples(tmp_path):
    images = tf.keras.Input((8, 8, 3), dtype="uint8")
    x = tf.keras.layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = tf.keras.layers.Conv2D(32, 3, name="stem")(x)
    model = tf.keras.Model(images, networks.binary_conv(32, "conv")(x))
    report = tflite_export.export(model, tmp_path / "m.tflite", benchmark=False).report
    assert not report.verification.given
    words = tf.keras.Input((8,), dtype="int32")
    x = tf.keras.layers.Embedding(10, 4)(words)
    with pytest.raises(ValueError, match="neither floating nor bytes"):
        tflite_export.export(tf.keras.Model(words, x), tmp_path / "words.tflite")
    assert not (tmp_path / "words.tflite").exists()


def test_samples_that_the_model_is_not_made_for(tmp_path):
    images = tf.keras.Input((8, 8, 3))
    x = tf.keras.layers.Conv2D(4, 3)(tf.math.log(images))
    model = tf.keras.Model(images, x)
    with pytest.raises(ValueError, match="NaN or Inf out of 'tf.math.log"):
        tflite_export.export(model, tmp_path / "m.tflite")
    assert list(tmp_path.iterdir()) == []
    positive = np.random.default_rng(0).uniform(0.1, 1.0, (4, 8, 8, 3))
    tflite_export.export(
        model, tmp_path / "m.tflite", samples=positive, benchmark=False
    )


def test_labels_as_keras_data_sets_have_them(tmp_path):
    model = network_of(tf.keras.layers.Flatten())
    shape = (4, *model.input_shape[1:])
    images = np.random.default_rng(0).normal(size=shape)
    labels = model.predict(images, verbose=0).argmax(axis=-1)[:, np.newaxis]
    report = tflite_export.export(
        model, tmp_path / "m.tflite", samples=images, labels=labels, benchmark=False
    ).report
    assert report.verification.keras_accuracy == 1.0
