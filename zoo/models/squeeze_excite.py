"""Squeeze-and-excite: each channel is weighed by what the whole image shows."""

import tensorflow as tf

from zoo.models.torch_initializers import kaiming_normal

__all__ = ["squeeze_excite"]


def squeeze_excite(x: tf.Tensor, squeezed: int, name: str) -> tf.Tensor:
    r"""Multiplies each channel by a gate in (0, 1), in full precision.

    \\[
    y = x \cdot \sigma(W_2\, \mathrm{swish}(W_1\, \mathrm{mean}(x) + b_1) + b_2)
    \\]

    The gate is positive: where a sign follows at once it does nothing.

    # Arguments
        x: Features.
        squeezed: Channels in between.
        name: What the names of the layers begin with.

    # References
        - [Squeeze-and-Excitation Networks](https://arxiv.org/abs/1709.01507)
    """

    def conv(filters: int, activation: str, part: str) -> tf.keras.layers.Layer:
        return tf.keras.layers.Conv2D(
            filters,
            1,
            activation=activation,
            kernel_initializer=kaiming_normal("fan_out"),
            name=f"{name}_{part}",
        )

    gate = tf.keras.layers.GlobalAveragePooling2D(
        keepdims=True, name=f"{name}_squeeze"
    )(x)
    gate = conv(squeezed, "swish", "reduce")(gate)  # [N, 1, 1, squeezed]
    gate = conv(x.shape[-1], "sigmoid", "expand")(gate)  # [N, 1, 1, C]
    return tf.keras.layers.Multiply(name=f"{name}_excite")([x, gate])
