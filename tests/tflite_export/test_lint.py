"""Each rule of the lint, on a model that breaks it and on one that does not."""

import re

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
from tests.tflite_export import networks
from tests.tflite_export.networks import larq_conv, network_of


def lint_layer(layer, input_shape=(8, 8, 32)):
    return tflite_export.lint(network_of(layer, input_shape))


GOOD_INPUT_QUANTIZERS = [
    "ste_sign",
    "approx_sign",
    "swish_sign",
    "ede_sign",
    "normalized_approx_sign",
    networks.where_constants,
    networks.shifted_sign,
    networks.where_tensors,  # with the batch of one that is exported
]


@pytest.mark.parametrize("quantizer", GOOD_INPUT_QUANTIZERS)
def test_recognised_input_quantizers_pass(quantizer):
    assert lint_layer(larq_conv(quantizer)) == []


BAD_INPUT_QUANTIZERS = [
    (networks.bare_sign, "gives 0 at 0, as a bare tf.sign does"),
    ("ste_tern", "ternary"),
    ("ste_heaviside", "gives 0, 1 in place of -1 and \\+1"),
    ("dorefa_quantizer", "in place of -1 and \\+1"),
    (networks.scaled_sign, "gives -1.3, 1.3 in place of"),
    (networks.cast_sign, "operators that LCE does not recognise"),
    (networks.detached_sign, "in place of|does not recognise"),  # rounding decides
]


@pytest.mark.parametrize("quantizer, reason", BAD_INPUT_QUANTIZERS)
def test_other_input_quantizers_are_errors(quantizer, reason):
    (finding,) = lint_layer(larq_conv(quantizer))
    assert finding.severity == "error"
    assert finding.layer == "conv"
    assert re.search(reason, finding.reason)
    assert "larq.math.sign" in finding.remedy


@pytest.mark.parametrize(
    "quantizer",
    [
        "ste_sign",
        "libra_pb",
        "magnitude_aware_sign",
        "recu",
        irnet.quantizers.ReCU(analytic_scale=True),
    ],
)
def test_binary_kernels_pass(quantizer):
    assert lint_layer(larq_conv("ste_sign", kernel_quantizer=quantizer)) == []


@pytest.mark.parametrize(
    "quantizer, reason",
    [
        ("ste_tern", "holds zeros"),
        (networks.soft_kernel, "more than one magnitude"),
        (networks.input_scaled_kernel, "more than one magnitude"),
        (networks.vanishing_kernel, "too small"),
    ],
)
def test_other_kernels_are_errors(quantizer, reason):
    (finding,) = lint_layer(larq_conv("ste_sign", kernel_quantizer=quantizer))
    assert finding.severity == "error"
    assert reason in finding.reason


def test_a_kernel_with_nan_is_an_error():
    model = network_of(larq_conv("ste_sign"))
    kernel = model.layers[-1].kernel
    model.layers[-1].set_weights([kernel.numpy() * float("nan")] + [tf.zeros(32)])
    (finding,) = tflite_export.lint(model)
    assert "NaN" in finding.reason


BINARY = {"quantizer": "irnet"}
STE = {
    "input_quantizer": "ste_sign",
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
}


@pytest.mark.parametrize(
    "layer, input_shape",
    [
        (irnet.layers.QuantDense(4, **BINARY), (32,)),
        (irnet.layers.QuantConv1D(4, 3, **BINARY), (8, 32)),
        (irnet.layers.QuantDepthwiseConv2D(3, **BINARY), (8, 8, 32)),
        (irnet.layers.QuantDepthwiseConv2D(3, quantizer="recu"), (8, 8, 32)),
        (irnet.layers.QuantConv2DTranspose(4, 3, **BINARY), (8, 8, 32)),
        (lq.layers.QuantConv3D(4, 3, **STE), (8, 8, 8, 32)),
        (lq.layers.QuantLocallyConnected2D(4, 3, **STE), (8, 8, 32)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_without_a_binary_kernel_are_errors(layer, input_shape):
    findings = lint_layer(layer, input_shape)
    assert [finding.severity for finding in findings] == ["error"]
    assert type(layer).__name__ in findings[0].reason
    assert findings[0].remedy


@pytest.mark.parametrize(
    "arguments, severity, reason",
    [
        ({"pad_values": 0.0}, "slower", "corrects at run time"),
        ({"pad_values": -1.0}, "error", "pads with -1"),
        ({"groups": 2}, "error", "would stay float"),
        ({"groups": 1}, None, ""),
        ({"padding": "valid"}, None, ""),
    ],
)
def test_convolution_arguments(arguments, severity, reason):
    findings = lint_layer(larq_conv("ste_sign", **arguments))
    assert [finding.severity for finding in findings] == [severity] * bool(severity)
    assert all(reason in finding.reason for finding in findings)


def test_groups_of_whole_words_are_rejected_by_the_default_kernel():
    (finding,) = lint_layer(larq_conv("ste_sign", groups=2), (8, 8, 64))
    assert "default kernel rejects" in finding.reason


def test_channels_first_is_an_error():
    findings = lint_layer(
        larq_conv("ste_sign", data_format="channels_first", padding="valid"),
        (32, 8, 8),
    )
    assert "channels_first" in findings[0].reason


def test_padding_needs_a_fixed_size():
    (finding,) = lint_layer(larq_conv("ste_sign"), (None, None, 32))
    assert finding.severity == "error"
    assert "not fixed" in finding.reason


@pytest.mark.parametrize("size, severity", [(2, "error"), (3, "slower")])
def test_zero_padding_of_an_input_smaller_than_the_kernel_is_an_error(size, severity):
    layer = larq_conv("ste_sign", pad_values=0.0)
    (finding,) = lint_layer(layer, (8, size, 32))
    assert finding.severity == severity


@pytest.mark.parametrize("dilation, severity", [(2, "slower"), (4, "error")])
def test_zero_padding_counts_the_reach_of_a_dilated_kernel(dilation, severity):
    layer = larq_conv("ste_sign", pad_values=0.0, dilation_rate=dilation)
    (finding,) = lint_layer(layer)
    assert finding.severity == severity


def test_a_failing_quantizer_does_not_leave_the_quantized_scope_on():
    @lq.utils.set_precision(1)
    def failing(w):
        if lq.context.should_quantize():
            raise RuntimeError("on purpose")
        return w

    model = network_of(larq_conv("ste_sign"))
    model.layers[-1].kernel.quantizer = failing
    with pytest.raises(RuntimeError, match="on purpose"):
        tflite_export.lint(model)
    assert not lq.context.should_quantize()


def test_binary_weights_alone_are_a_note():
    (finding,) = lint_layer(larq_conv(None))
    assert (finding.severity, finding.layer) == ("note", "conv")


def test_binary_inputs_alone_are_slower():
    (finding,) = lint_layer(larq_conv("ste_sign", kernel_quantizer=None))
    assert finding.severity == "slower"


def test_layers_of_nested_models_are_looked_at():
    inner = network_of(larq_conv(networks.bare_sign))
    inputs = tf.keras.Input((8, 8, 32))
    (finding,) = tflite_export.lint(tf.keras.Model(inputs, inner(inputs)))
    assert finding.layer == "conv"


def test_a_float_model_has_no_findings():
    assert lint_layer(tf.keras.layers.Conv2D(4, 3)) == []
