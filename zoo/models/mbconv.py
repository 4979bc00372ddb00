"""The inverted bottleneck of EfficientNet, MBConv, in full precision or binary."""

import tensorflow as tf

from zoo.models.depthwise_separable import depthwise, has_binary_inputs, pointwise
from zoo.models.network_pieces import NetworkPieces
from zoo.models.squeeze_excite import squeeze_excite
from zoo.models.torch_initializers import kaiming_normal

__all__ = ["mbconv"]

_SQUEEZE = 4  # input channels of a block for each squeezed one


def mbconv(
    pieces: NetworkPieces,
    x: tf.Tensor,
    filters: int,
    name: str,
    *,
    size: int,
    strides: int,
    expansion: int,
    block: str,
) -> tf.Tensor:
    """Expands, filters, weighs and projects the channels, around them a shortcut.

    # Arguments
        pieces: Makes the layers.
        x: Features.
        filters: Output channels.
        name: What the names of the layers begin with.
        size: Height and width of the depthwise kernel.
        strides: Of the depthwise convolution.
        expansion: Channels in between for each input channel; 1 expands nothing.
        block: From `chosen_block`.

    # References
        - [EfficientNet: Rethinking Model Scaling for Convolutional Neural
            Networks](https://arxiv.org/abs/1905.11946)
        - [MobileNetV2: Inverted Residuals and Linear
            Bottlenecks](https://arxiv.org/abs/1801.04381)
    """
    kept, channels = x, x.shape[-1]
    if expansion > 1:
        conv = f"{name}_expand"
        x = pointwise(pieces, x, expansion * channels, conv, block=block)
        x = pieces.activate(x, f"{conv}_act")
    x = _weighed_depthwise(pieces, x, size, strides, max(1, channels // _SQUEEZE), name)
    x = pointwise(pieces, x, filters, f"{name}_project", block=block)
    if strides == 1 and channels == filters:
        x = tf.keras.layers.Add(name=f"{name}_add")([x, kept])
    return x


def _weighed_depthwise(
    pieces: NetworkPieces,
    x: tf.Tensor,
    size: int,
    strides: int,
    squeezed: int,
    name: str,
) -> tf.Tensor:
    """Depthwise convolution, normalisation, activation and gate, in their order.

    The gate is positive: the sign of a binary projection would not see it. With one it
    comes in front of the normalisation, whose shift makes it count.
    """
    gates_first = has_binary_inputs(pieces.method)
    conv, gate = f"{name}_depthwise", f"{name}_gate"
    x = depthwise(x, size, conv, strides=strides, initializer=kaiming_normal("fan_out"))
    if gates_first:
        x = squeeze_excite(x, squeezed, gate)
    x = pieces.activate(pieces.batch_norm(x, f"{conv}_bn"), f"{conv}_act")
    return x if gates_first else squeeze_excite(x, squeezed, gate)
