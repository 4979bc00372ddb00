import tensorflow as tf

import tflite_export
from tests.tflite_export.networks import binary_conv, residual_network
from tflite_export.binary_layers import BinaryLayer
from tflite_export.findings import Finding
from tflite_export.layer_outcomes import layer_outcomes
from tflite_export.rewrites import Rewrite


def test_every_layer_has_its_operators(exported_residual):
    outcomes = {one.layer: one for one in exported_residual.report.layers}
    assert list(outcomes) == [layer.name for layer in residual_network().layers]
    assert outcomes["stem"].operators == ("CONV_2D",)
    assert outcomes["stem_bn"].operators == ("CONV_2D",)  # folded
    assert outcomes["first"].kind == "QuantConv2D"
    assert outcomes["first"].operators == ("LceQuantize", "LceBconv2d")
    assert "computed on bits, writes numbers" in outcomes["first"].reasons
    assert outcomes["first_bn"].operators == ("LceBconv2d",)
    assert outcomes["first_act"].operators == ("ADD",)
    assert outcomes["first_add"].operators == ()
    assert outcomes["first_add"].reasons == (
        "no operator of its own: its neighbours compute it as well",
    )
    assert outcomes["images"].reasons == ()
    assert outcomes["pool"].operators == ("MEAN",)
    assert outcomes["logits"].operators == ("FULLY_CONNECTED",)


def test_reasons_of_all_kinds(residual_model, converted_residual):
    outcomes = layer_outcomes(
        residual_model,
        converted_residual,
        binary_layers=[
            BinaryLayer("first", (3, 3), (8,), 1, "LceBconv2d", 1, True),
            BinaryLayer("second", (3, 3), (8,), 1, "", 0, False),
        ],
        rewrites=[Rewrite("first", "folded kernel", "it was folded.")],
        findings=[Finding("slower", "second", "it is slow.", "hurry.")],
    )
    reasons = {one.layer: one.reasons for one in outcomes if one.reasons}
    assert {name: reasons[name] for name in ("first", "second")} == {
        "first": ("it was folded.", "computed on bits, writes bits"),
        "second": ("it is slow.",),
    }


def test_equal_names_in_two_models_within_the_model(tmp_path):
    images = tf.keras.Input((8, 8, 32))
    towers = []
    for name, convolution in (
        ("left", binary_conv(32, "conv")),
        ("right", tf.keras.layers.Conv2D(32, 3, padding="same", name="conv")),
    ):
        inner = tf.keras.Sequential([tf.keras.Input((8, 8, 32)), convolution], name)
        towers.append(inner(images))
    model = tf.keras.Model(images, tf.keras.layers.Add(name="sum")(towers))
    report = tflite_export.export(
        model, tmp_path / "model.tflite", benchmark=False
    ).report
    outcomes = {one.layer: one for one in report.layers}
    assert "LceBconv2d" in outcomes["conv"].operators
    assert outcomes["right_conv"].operators == ("CONV_2D",)
    assert outcomes["right_conv"].kind == "Conv2D"
