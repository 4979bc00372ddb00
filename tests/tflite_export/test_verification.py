"""Verification finds what is wrong, where it is wrong, and nothing else."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export import networks
from tests.tflite_export.networks import larq_conv, network_of
from tflite_export import verification as verification_module
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.verification import verify

# Observed 1e-6; rounding of float32 sums. The tolerance inside is 1e-4.
ROUNDING = 1e-5


def test_every_part_of_a_right_conversion_is_right(exported_residual):
    verification = exported_residual.report.verification
    assert all(part.is_right for part in verification.parts)
    assert max(part.error for part in verification.parts) < ROUNDING
    assert {part.compared for part in verification.parts} == {8}
    covered = [name for part in verification.parts for name in part.operators]
    flatbuffer = Flatbuffer(exported_residual.flatbuffer)
    assert sorted(covered) == sorted(one.name for one in flatbuffer.operators)


def test_signs_are_counted(exported_residual):
    verification = exported_residual.report.verification
    assert verification.signs == 2 * 40 * (8 * 8 * 32)  # layers, images, values
    assert verification.flips < 1e-3 * verification.signs


@pytest.mark.parametrize("layer", ["first", "second_bn", "logits", "stem"])
def test_a_changed_weight_is_found_in_its_part(
    residual_model, converted_residual, layer
):
    """The converted model stands for a miscompilation of the changed one."""
    changed = networks.residual_network()
    changed.set_weights(residual_model.get_weights())
    weights = changed.get_layer(layer).get_weights()
    weights[0] = -weights[0]
    changed.get_layer(layer).set_weights(weights)
    verification = verify(changed, converted_residual)
    wrong = [part.layer for part in verification.parts if not part.is_right]
    expected = {"first": "first_bn", "logits": "output", "stem": "stem_bn"}
    assert wrong == [expected.get(layer, layer)]
    assert any(one.layer == wrong[0] for one in verification.findings())


def test_zero_padding_that_lce_computes_wrongly_is_found_without_lint():
    model = networks.residual_network(pad_values=0.0, size=2)
    verification = verify(model, Flatbuffer(convert(model)))
    wrong = {part.layer: part.error for part in verification.parts if part.error > 0.01}
    assert set(wrong) == {"first_bn", "second_bn"}


def test_a_ternary_input_that_lce_takes_for_binary_is_found_without_lint():
    model = network_of(larq_conv("ste_tern"))
    verification = verify(model, Flatbuffer(convert(model)))
    assert any(one.severity == "error" for one in verification.findings())


def test_packed_bits_between_layers_are_verified():
    model = networks.plain_network()
    flatbuffer = Flatbuffer(convert(model))
    verification = verify(model, flatbuffer)
    bits = [o for o in flatbuffer.operators if o.outputs[0].dtype == "int32"]
    assert len(bits) == 3  # LceQuantize and two convolutions
    assert all(part.is_right and part.compared for part in verification.parts)

    other = networks.plain_network()
    weights = model.get_weights()
    weights[0] = -weights[0]
    other.set_weights(weights)
    findings = verify(other, flatbuffer).findings()
    assert [finding.severity for finding in findings] == ["error"]


def test_values_next_to_zero_are_set_aside():
    model = networks.plain_network()
    flatbuffer = Flatbuffer(convert(model))
    gamma, beta, mean, variance = model.get_layer("bn0").get_weights()
    # the first channel of conv1's input becomes exactly zero everywhere
    gamma[0], beta[0] = 0.0, 0.0
    model.get_layer("bn0").set_weights([gamma, beta, mean, variance])
    verification = verify(model, flatbuffer)
    part = verification.parts[-1]
    # none is left: the best image has to be right but for what flips may touch
    assert (part.compared, part.set_aside) == (1, 63)
    assert part.is_right == (part.error < 1e-4)


def test_a_miscompilation_behind_packed_bits_is_found():
    """Zero padding around a dilated kernel that reaches over more than the input."""
    inputs = tf.keras.Input((4, 4, 32))
    x = networks.binary_conv(32, "one")(inputs)
    x = networks.binary_conv(32, "two", pad_values=0.0, dilation_rate=2)(x)
    model = tf.keras.Model(inputs, tf.keras.layers.Flatten()(x))
    verification = verify(model, Flatbuffer(convert(model)))
    assert any(finding.severity == "error" for finding in verification.findings())


@pytest.mark.parametrize("build", networks.UNFUSED_BATCH_NORMS)
def test_batch_norms_that_do_not_fold_are_no_false_alarm(build):
    model = build()
    flatbuffer = Flatbuffer(convert(model))
    assert "MUL" in [operator.name for operator in flatbuffer.operators]
    verification = verify(model, flatbuffer)
    assert verification.findings() == []
    assert all(part.error < ROUNDING for part in verification.parts)


def test_a_model_that_the_runtime_refuses_is_a_finding(
    monkeypatch, residual_model, converted_residual
):
    def refuse(*arguments, **options):
        raise RuntimeError("multiplier must be 1-D")

    monkeypatch.setattr(verification_module, "run_samples", refuse)
    verification = verify(residual_model, converted_residual)
    assert verification.end_to_end == ()
    assert "1-D" in verification.findings()[0].reason


def test_one_class_has_no_agreement(exported_residual):
    inputs = tf.keras.Input((8, 8, 32))
    x = tf.keras.layers.GlobalAveragePooling2D()(networks.binary_conv(8, "c")(inputs))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(x))
    verification = verify(
        model,
        Flatbuffer(convert(model)),
        samples=[np.ones((2, 8, 8, 32), np.float32)],
        labels=np.ones(2),
    )
    assert verification.keras_accuracy is None
    assert [one.agreement for one in verification.end_to_end] == [None, None]


def test_integer_inputs_need_samples():
    inputs = tf.keras.Input((4,), dtype=tf.int32)
    model = tf.keras.Model(inputs, tf.keras.layers.Embedding(5, 3)(inputs))
    with pytest.raises(ValueError, match="Expected samples to verify with"):
        verify(model, Flatbuffer(convert(model)))


def test_nested_models_are_verified():
    model = networks.nested_network()
    verification = verify(model, Flatbuffer(convert(model)))
    assert [part.is_right for part in verification.parts] == [True]
    assert verification.parts[0].error < ROUNDING


def test_low_agreement_on_given_samples_is_an_error(exported_residual):
    verification = exported_residual.report.verification
    end = dataclasses.replace(verification.end_to_end[0], agreement=0.5)
    lower = dataclasses.replace(verification, end_to_end=(end,), samples=100)
    (finding,) = lower.findings()
    assert "only 50.0%" in finding.reason
    assert dataclasses.replace(lower, given=False).findings() == []
    assert dataclasses.replace(lower, samples=8).findings() == []


def test_nan_in_the_outputs_is_an_error(
    residual_model, converted_residual, exported_residual
):
    broken = networks.residual_network()
    weights = residual_model.get_weights()
    weights[-1] = weights[-1] * np.nan
    broken.set_weights(weights)
    with pytest.raises(ValueError, match="NaN or Inf out of .*Check its weights"):
        verify(broken, converted_residual)
    verification = verify(residual_model, Flatbuffer(convert(broken)))
    assert any(one.layer == "output" for one in verification.findings())
    assert (
        "null"
        in tflite_export.Report(
            **{
                **vars(exported_residual.report),
                "verification": verification,
            }
        ).to_json()
    )


def test_the_whole_is_compared_with_what_was_rewritten(
    residual_model, converted_residual
):
    reversed_logits = tf.reverse(residual_model.output, [-1])
    original = tf.keras.Model(residual_model.input, reversed_logits)
    images = np.random.default_rng(1).normal(size=(50, 8, 8, 3)).astype(np.float32)
    verification = verify(
        residual_model, converted_residual, original=original, samples=[images]
    )
    assert all(part.is_right for part in verification.parts)
    assert [finding.layer for finding in verification.findings()] == ["output"] * 2
