"""What a layer is to a binary network: its kind, told from the layer alone."""

from typing import Any

import tensorflow as tf

from larq_irnet import layers

__all__ = [
    "COUNTERPARTS",
    "elements_per_filter",
    "is_activation",
    "is_normalization",
    "is_quantized",
    "is_relu_like",
    "is_weighted",
    "relu_like",
]

COUNTERPARTS = {
    tf.keras.layers.Conv1D: layers.QuantConv1D,
    tf.keras.layers.Conv2D: layers.QuantConv2D,
    tf.keras.layers.Conv2DTranspose: layers.QuantConv2DTranspose,
    tf.keras.layers.Dense: layers.QuantDense,
    tf.keras.layers.DepthwiseConv2D: layers.QuantDepthwiseConv2D,
}

# Non-linearities that are never, or hardly ever, negative: signs of what they give
# carry no information.
_RELU_LIKE = frozenset(
    ["elu", "gelu", "hard_swish", "leaky_relu", "mish", "relu", "relu6"]
    + ["selu", "silu", "softplus", "swish"]
)
_RELU_LIKE_LAYERS = (
    tf.keras.layers.ELU,
    tf.keras.layers.LeakyReLU,
    tf.keras.layers.PReLU,
    tf.keras.layers.ReLU,
    tf.keras.layers.ThresholdedReLU,
)
_NORMALIZATIONS = (
    tf.keras.layers.BatchNormalization,
    tf.keras.layers.GroupNormalization,
    tf.keras.layers.LayerNormalization,
    tf.keras.layers.UnitNormalization,
)


def relu_like(activation: Any) -> bool:
    """Whether an activation function is of the ReLU family."""
    return getattr(activation, "__name__", "") in _RELU_LIKE


def is_relu_like(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer is a non-linearity of the ReLU family, and nothing else."""
    if isinstance(layer, _RELU_LIKE_LAYERS):
        return True
    if isinstance(layer, tf.keras.layers.Activation):
        return relu_like(layer.activation)
    # what Keras makes of a function such as tf.nn.relu in a functional model
    return _function(layer).removeprefix("nn.") in _RELU_LIKE


def _function(layer: tf.keras.layers.Layer) -> str:
    if type(layer).__name__ != "TFOpLambda":
        return ""
    return str(layer.get_config()["function"])


def is_activation(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer is a non-linearity, of whatever family."""
    return is_relu_like(layer) or isinstance(layer, tf.keras.layers.Activation)


def is_normalization(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer centres what it gives."""
    return isinstance(layer, _NORMALIZATIONS)


def is_weighted(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer multiplies with weights: it has a kernel of some kind."""
    if isinstance(layer, tf.keras.layers.PReLU):
        return False
    return any(len(weight.shape) >= 2 for weight in layer.weights)


def is_quantized(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer has quantizers already."""
    return any(
        getattr(layer, f"{what}_quantizer", None) is not None
        for what in ("input", "kernel", "depthwise", "pointwise")
    )


def elements_per_filter(layer: tf.keras.layers.Layer) -> int:
    """How many weights one output of a layer of `COUNTERPARTS` sums over."""
    if isinstance(layer, tf.keras.layers.DepthwiseConv2D):
        height, width, _, _ = layer.depthwise_kernel.shape
        return int(height * width)
    shape = layer.kernel.shape
    if isinstance(layer, tf.keras.layers.Conv2DTranspose):
        return int(shape[0] * shape[1] * shape[3])  # [H, W, C_out, C_in]
    return int(shape.num_elements() // shape[-1])
