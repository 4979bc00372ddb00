"""With lint and rewrites switched off, verification alone finds what LCE gets wrong."""

import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export.lint.lint_case import conv
from tests.tflite_export.lint.test_miscompilations import ONCE, Scale, sign
from tests.tflite_export.networks import randomize_batch_norms
from tflite_export import exporting
from tflite_export.findings import ExportError

layers = tf.keras.layers


@pytest.fixture(autouse=True)
def nothing_but_verification(monkeypatch):
    monkeypatch.setattr(exporting, "lint", lambda model: [])
    monkeypatch.setattr(exporting, "rewrite_layers", lambda model: (model, []))


def ternary_input(x):
    return conv("ternary", input_quantizer="ste_tern")(x)


def ones_behind_the_sign(x):
    x = tf.pad(sign(x), ONCE, constant_values=1.0)
    return conv("ones", input_quantizer=None, padding="valid", strides=2)(x)


def zeros_before_a_strided_convolution(x):
    return layers.Conv2D(8, 3, strides=2, name="stem")(layers.ZeroPadding2D()(x))


def zeros_before_a_strided_depthwise_convolution(x):
    x = layers.ZeroPadding2D()(x)
    return layers.DepthwiseConv2D(3, strides=2, name="depthwise")(x)


def zero_padding_of_a_small_image(x):
    x = layers.AveragePooling2D(4)(x)
    return conv("small", size=5, pad_values=0.0)(x)


def scale_of_rank_4_before_a_sign(x):
    x = Scale((1, 1, 1, 32))(conv("scaled")(x))
    return conv("behind")(layers.BatchNormalization(name="bn")(x))


def nothing_wrong(x):
    return layers.BatchNormalization(name="right_bn")(conv("right")(x))


WRONG = {
    "ternary": ternary_input,
    "ones": ones_behind_the_sign,
    "stem": zeros_before_a_strided_convolution,
    "depthwise": zeros_before_a_strided_depthwise_convolution,
    "small": zero_padding_of_a_small_image,
    "behind": scale_of_rank_4_before_a_sign,
}


@pytest.fixture
def findings(nothing_but_verification, tmp_path):
    # inputs of their own: what pads the same numbers twice is one operator
    builders = {**WRONG, "right": nothing_wrong}
    inputs = [tf.keras.Input((8, 8, 32)) for _ in builders]
    outputs = [
        layers.Flatten(name=f"{name}_end")(build(x))
        for (name, build), x in zip(builders.items(), inputs)
    ]
    model = randomize_batch_norms(tf.keras.Model(inputs, outputs))
    with pytest.raises(ExportError) as error:
        tflite_export.export(model, tmp_path / "m.tflite", benchmark=False)
    assert not list(tmp_path.iterdir())
    return error.value.findings


def test_what_is_computed_wrongly_is_refused(findings):
    assert {one.severity for one in findings} == {"error"}
    named = {one.layer for one in findings}
    for number, name in enumerate(WRONG):
        assert named & {name, f"{name}_end", f"output_{number}"}, named
    assert not any("right" in one for one in named)


def test_what_the_runtime_refuses_is_refused(tmp_path):
    inputs = tf.keras.Input((8, 8, 32))
    outputs = Scale((1, 1, 1, 32))(conv("scaled")(inputs))
    with pytest.raises(ExportError, match="the runtime refuses .*AllocateTensors"):
        tflite_export.export(
            tf.keras.Model(inputs, outputs), tmp_path / "m.tflite", benchmark=False
        )
    assert not list(tmp_path.iterdir())
