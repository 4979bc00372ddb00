"""What a layer is to a binary network: its kind, told from the layer alone."""

from typing import Any

import tensorflow as tf

from larq_irnet import layers
from larq_irnet.operator_layers import function_of

__all__ = [
    "COUNTERPARTS",
    "elements_per_filter",
    "is_normalization",
    "is_product",
    "is_quantized",
    "is_relu_like",
    "is_sum",
    "is_weighted",
    "passes_signs_on",
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


# Layers that give the signs that they are given, or some of them.
_PASSING = (
    tf.keras.layers.ActivityRegularization,
    tf.keras.layers.AlphaDropout,
    tf.keras.layers.Average,
    tf.keras.layers.AveragePooling1D,
    tf.keras.layers.AveragePooling2D,
    tf.keras.layers.Concatenate,
    tf.keras.layers.Cropping1D,
    tf.keras.layers.Cropping2D,
    tf.keras.layers.Dropout,
    tf.keras.layers.Flatten,
    tf.keras.layers.GaussianDropout,
    tf.keras.layers.GaussianNoise,
    tf.keras.layers.GlobalAveragePooling1D,
    tf.keras.layers.GlobalAveragePooling2D,
    tf.keras.layers.GlobalMaxPooling1D,
    tf.keras.layers.GlobalMaxPooling2D,
    tf.keras.layers.Maximum,
    tf.keras.layers.MaxPooling1D,
    tf.keras.layers.MaxPooling2D,
    tf.keras.layers.Minimum,
    tf.keras.layers.Permute,
    tf.keras.layers.RepeatVector,
    tf.keras.layers.Reshape,
    tf.keras.layers.Resizing,
    tf.keras.layers.SpatialDropout1D,
    tf.keras.layers.SpatialDropout2D,
    tf.keras.layers.UpSampling1D,
    tf.keras.layers.UpSampling2D,
    tf.keras.layers.ZeroPadding1D,
    tf.keras.layers.ZeroPadding2D,
)
_PASSING_FUNCTIONS = frozenset(
    ["__operators__.getitem", "concat", "expand_dims", "identity", "image.resize"]
    + ["nn.avg_pool", "nn.avg_pool2d", "nn.max_pool", "nn.max_pool2d", "pad"]
    + ["reshape", "split", "squeeze", "stack", "transpose", "unstack"]
)


def relu_like(activation: Any) -> bool:
    """Whether an activation function, or a layer in its place, is of the ReLU family.

    # Example
        >>> relu_like(tf.nn.relu6), relu_like(tf.keras.layers.LeakyReLU(0.3))
        (True, True)
        >>> relu_like(tf.tanh)
        False
    """
    if isinstance(activation, tf.keras.layers.Layer):
        return is_relu_like(activation)
    return getattr(activation, "__name__", "") in _RELU_LIKE


def is_relu_like(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer is a non-linearity of the ReLU family, and nothing else."""
    if isinstance(layer, _RELU_LIKE_LAYERS):
        return True
    if isinstance(layer, tf.keras.layers.Activation):
        return relu_like(layer.activation)
    # what Keras makes of a function such as tf.nn.relu in a functional model
    return function_of(layer).removeprefix("nn.").removeprefix("math.") in _RELU_LIKE


def is_sum(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer adds, other layers or a constant: `Add`, `x + y`, `x + 3`."""
    sums = ("__operators__.add", "math.add", "math.add_n")
    return isinstance(layer, tf.keras.layers.Add) or function_of(layer) in sums


def is_product(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer multiplies, other layers or one with a constant."""
    multiplies = function_of(layer) == "math.multiply"
    return isinstance(layer, tf.keras.layers.Multiply) or multiplies


def passes_signs_on(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer that reads one other gives the signs of what it reads."""
    function = function_of(layer).removeprefix("compat.v1.")
    return isinstance(layer, _PASSING) or function in _PASSING_FUNCTIONS


def is_normalization(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer centres what it gives."""
    return isinstance(layer, _NORMALIZATIONS)


def is_weighted(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer multiplies with weights: it has a kernel of some kind."""
    scaling = (tf.keras.layers.PReLU, tf.keras.layers.Normalization)
    if is_normalization(layer) or isinstance(layer, scaling):
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
