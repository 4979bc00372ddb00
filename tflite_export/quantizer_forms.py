"""Which quantizers Larq Compute Engine recognises as binary, found by looking at them.

The converter matches graphs, not meanings: an activation quantizer has to be
`Sign(Sign(x) + c)`, which is `larq.math.sign`, or a select between the constants +1
and -1. Anything else stays float; Larq's ternary quantizer even counts as binary and is
computed wrongly. A binary kernel is a constant whose magnitude is the same all over
each output channel.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

__all__ = ["explain_input_quantizer", "explain_kernel"]

_PASS_THROUGH = ("Identity", "IdentityN", "StopGradient", "CheckNumerics", "Snapshot")
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")
_MAGNITUDE_TOLERANCE = 0.005  # the converter's own
_SMALLEST_SCALE = np.finfo(np.float32).eps  # the converter's own


def explain_input_quantizer(
    quantizer: Callable[[tf.Tensor], tf.Tensor], channels: int
) -> str | None:
    """Why an activation quantizer does not become `LceQuantize`; `None` if it does.

    # Arguments
        quantizer: The quantizer of a layer.
        channels: Input channels of that layer.
    """
    return _explain_values(quantizer, channels) or _explain_graph(quantizer, channels)


def _explain_values(quantizer: Callable, channels: int) -> str | None:
    probe = np.linspace(-2.0, 2.0, 401, dtype=np.float32)  # 0 is among them
    x = np.broadcast_to(probe[None, :, None, None], (1, probe.size, 1, channels))
    values = np.unique(tf.convert_to_tensor(quantizer(tf.constant(x))).numpy())
    if set(values) == {-1.0, 1.0}:
        return None
    if set(values) == {-1.0, 0.0, 1.0}:
        at_zero_only = (
            np.abs(x)[quantizer(tf.constant(x)).numpy() == 0.0].max(initial=0.0) == 0.0
        )
        if at_zero_only:
            return "the input quantizer gives 0 at 0, as a bare tf.sign does."
        return "the input quantizer is ternary (-1, 0, +1), which LCE takes for binary."
    shown = ", ".join(f"{value:g}" for value in values[:4])
    more = ", ..." if values.size > 4 else ""
    return f"the input quantizer gives {shown}{more} in place of -1 and +1."


def _explain_graph(quantizer: Callable, channels: int) -> str | None:
    traced = tf.function(lambda x: quantizer(x), autograph=False)
    spec = tf.TensorSpec((1, 2, 2, channels), tf.float32)
    output = traced.get_concrete_function(spec).graph.outputs[0]
    if _is_recognised(_skip(output)):
        return None
    return (
        "the input quantizer computes -1 and +1 by operators that LCE does not "
        "recognise."
    )


def _skip(tensor: tf.Tensor) -> tf.Tensor:
    while tensor.op.type in _PASS_THROUGH:
        tensor = tensor.op.inputs[tensor.value_index]
    return tensor


def _is_recognised(tensor: tf.Tensor) -> bool:
    op = tensor.op
    if op.type in _CALLS:
        return True  # not looked into here: the converted model will tell
    if op.type == "Sign":
        inner = _skip(op.inputs[0])
        if inner.op.type not in ("Add", "AddV2"):
            return False
        types = sorted(_skip(operand).op.type for operand in inner.op.inputs)
        return types == ["Const", "Sign"]
    if op.type in ("Select", "SelectV2"):
        return not any(map(_depends_on_input, op.inputs[1:]))
    return False


def _depends_on_input(tensor: tf.Tensor) -> bool:
    if tensor.op.type == "Placeholder":
        return True
    return any(map(_depends_on_input, tensor.op.inputs))


def explain_kernel(kernel: np.ndarray) -> str | None:
    """Why a quantized kernel is not binary for the converter; `None` if it is.

    # Arguments
        kernel: The quantized kernel, [..., C_out].
    """
    if not np.isfinite(kernel).all():
        return "the quantized kernel holds NaN or Inf."
    magnitude = np.abs(kernel.reshape(-1, kernel.shape[-1]))  # [n, C_out]
    if (magnitude == 0.0).any():
        return "the quantized kernel holds zeros, as a ternary one does."
    scale = magnitude[0]
    if (scale <= _SMALLEST_SCALE).any():
        return f"the scale of a filter is {scale.min():g}, too small for LCE."
    if (np.abs(magnitude / scale - 1.0) > _MAGNITUDE_TOLERANCE).any():
        return "the quantized kernel has more than one magnitude within a filter."
    return None
