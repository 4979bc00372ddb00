"""Depthwise separable convolutions: what the compact networks are made of.

A depthwise convolution stays in full precision: it has only nine or 25 weights in each
filter, and Larq Compute Engine no binary kernel for it. The pointwise one, 1x1, holds
nearly all weights and multiplications and is binary.
"""

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.residual_stages import BLOCKS

__all__ = ["chosen_block", "depthwise", "has_binary_inputs", "pointwise"]


def has_binary_inputs(method: irnet.methods.Method) -> bool:
    """Whether convolutions of the method see signs, and information has to go round."""
    return method.input_quantizer is not None


def chosen_block(block: str | None, method: irnet.methods.Method) -> str:
    """The kind of block: that asked for, or the method's own.

    # Arguments
        block: "bi_real", "normal" or `None`.
        method: The method of the network.

    # Returns
        "bi_real", a shortcut around every pointwise convolution that keeps the shape,
        or "normal", only those shortcuts that the network was published with.

    # Raises
        ValueError: for another name.

    # Example
        >>> chosen_block(None, irnet.methods.get("irnet"))
        'bi_real'
        >>> chosen_block(None, irnet.methods.get("irnet_w1a32"))
        'normal'
    """
    if block is None:
        return "bi_real" if has_binary_inputs(method) else "normal"
    if block not in BLOCKS:
        raise ValueError(f"Expected `block` out of {list(BLOCKS)}, got {block!r}.")
    return block


def depthwise(
    x: tf.Tensor,
    size: int,
    name: str,
    *,
    initializer: tf.keras.initializers.Initializer,
    strides: int = 1,
    dilation: int = 1,
) -> tf.Tensor:
    """A convolution of each channel by itself, in full precision.

    # Arguments
        x: Features.
        size: Height and width of the kernel.
        name: Name of the layer.
        initializer: Of its weights; not shared with other layers.
        strides: Of both axes.
        dilation: Distance of the pixels that a kernel sees.
    """
    return tf.keras.layers.DepthwiseConv2D(
        size,
        strides=strides,
        dilation_rate=dilation,
        padding="same",
        use_bias=False,
        depthwise_initializer=initializer,
        name=name,
    )(x)


def pointwise(
    pieces: NetworkPieces, x: tf.Tensor, filters: int, name: str, *, block: str
) -> tf.Tensor:
    r"""A 1x1 convolution that the method binarizes, normalised.

    With Bi-Real blocks \\(y = \mathrm{BN}(W * x) + x\\) where the shape stays.

    # Arguments
        pieces: Makes the layers.
        x: Features.
        filters: Output channels.
        name: Name of the convolution.
        block: From `chosen_block`.
    """
    y = pieces.binary_conv(x, filters, name, size=1)
    y = pieces.batch_norm(y, f"{name}_bn")
    if block == "bi_real" and x.shape[-1] == filters:
        y = tf.keras.layers.Add(name=f"{name}_add")([y, x])
    return y
