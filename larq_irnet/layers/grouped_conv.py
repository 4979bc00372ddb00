"""A grouped convolution that runs wherever ordinary convolutions do."""

from typing import Any

import tensorflow as tf

__all__ = ["GroupedConv2D"]


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class GroupedConv2D(tf.keras.layers.Conv2D):
    """`tf.keras.layers.Conv2D` with `groups`, made of operators that all backends have.

    Keras' own runs on a CPU by way of XLA alone, and converters make an operator of it
    that no TensorFlow Lite runtime knows. This one is a depthwise convolution where
    each group has a single channel, and one convolution for each group otherwise.
    Weights and outputs are the same; order and layout of the filters are those of
    `torch.nn.Conv2d(groups=...)`.

    # Arguments
        filters: Number of output channels, a multiple of `groups`.
        kernel_size: Height and width of the kernel.
        groups: Number of groups, which divides the input channels.
        kwargs: Further arguments of `tf.keras.layers.Conv2D`; channels come last.

    # Input shape
        [N, H, W, C].

    # Output shape
        [N, H', W', filters].

    # Raises
        ValueError: if `groups` does not divide `filters` or, when it is built, the
            input channels; for channels first, and for dilations with one channel in
            each group together with strides, or unequal strides.

    # Example
        >>> layer = GroupedConv2D(6, 3, groups=3)
        >>> layer(tf.ones((1, 4, 4, 3))).shape
        TensorShape([1, 2, 2, 6])
        >>> layer.kernel.shape
        TensorShape([3, 3, 1, 6])
    """

    def __init__(self, filters: int, kernel_size: Any, groups: int, **kwargs: Any):
        super().__init__(filters, kernel_size, groups=groups, **kwargs)
        if self.data_format != "channels_last":
            raise ValueError(
                f"Expected channels last in GroupedConv2D, got {self.data_format!r}."
            )

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.kernel)  # [kh, kw, C / groups, filters]
        if kernel.shape[2] == 1 and self.groups > 1:
            outputs = self._depthwise(inputs, kernel)
        else:
            outputs = self._group_by_group(inputs, kernel)
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _depthwise(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        # filter g * multiplier + j reads channel g: the order of a depthwise kernel
        height, width, _, filters = kernel.shape
        shape = (height, width, self.groups, filters // self.groups)
        return tf.nn.depthwise_conv2d(
            inputs,
            tf.reshape(kernel, shape),
            strides=(1, *self.strides, 1),
            padding=self.padding.upper(),
            dilations=self.dilation_rate,
        )

    def _group_by_group(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        if self.groups == 1:
            return self.convolution_op(inputs, kernel)
        groups = zip(
            tf.split(inputs, self.groups, axis=-1),
            tf.split(kernel, self.groups, axis=-1),
        )
        return tf.concat([self.convolution_op(*group) for group in groups], axis=-1)
