"""ResNet-20 for small images, binarized with one shortcut per convolution.

The first convolution and the classifier stay in full precision; the 18 convolutions in
between are binary, each with its own shortcut, as in Bi-Real Net.
"""

from dataclasses import dataclass

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.alignment import Rotate180, check_alignment, first_subsampled_pixel
from zoo.models.named_activation import NamedActivation
from zoo.models.option_a_shortcut import OptionAShortcut

__all__ = ["ResNet20"]

_WIDTHS = (16, 32, 64)
_BLOCKS_PER_WIDTH = 3
_CONVS_PER_BLOCK = 2

# Kaiming normal with fan_in and gain sqrt(2), not truncated
_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_in", "distribution": "untruncated_normal"},
}


def _batch_norm(x: tf.Tensor, name: str) -> tf.Tensor:
    return tf.keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


@dataclass(frozen=True)
class _Builder:
    """The pieces of the network, for one method, padding and alignment."""

    method: irnet.methods.Method
    pad_values: float
    alignment: str

    def activate(self, x: tf.Tensor, name: str) -> tf.Tensor:
        return NamedActivation(self.method.activation, name=name)(x)

    def stem(self, x: tf.Tensor) -> tf.Tensor:
        x = tf.keras.layers.Conv2D(
            _WIDTHS[0],
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=_INITIALIZER,
            name="stem_conv",
        )(x)
        return self.activate(_batch_norm(x, "stem_bn"), "stem_act")

    def residual_unit(
        self, x: tf.Tensor, filters: int, strides: int, name: str
    ) -> tf.Tensor:
        """One binary convolution with a shortcut of its own: half a Bi-Real block."""
        shortcut = self.shortcut(x, filters, strides, name)
        x = irnet.layers.QuantConv2D(
            filters,
            3,
            strides=strides,
            quantizer=self.method,
            padding="same",
            pad_values=self.pad_values,
            use_bias=False,
            kernel_initializer=_INITIALIZER,
            name=name,
        )(x)
        x = _batch_norm(x, f"{name}_bn")
        x = tf.keras.layers.Add(name=f"{name}_add")([x, shortcut])
        return self.activate(x, f"{name}_act")

    def shortcut(
        self, x: tf.Tensor, filters: int, strides: int, name: str
    ) -> tf.Tensor:
        if strides == 1 and x.shape[-1] == filters:
            return x
        return OptionAShortcut(
            filters,
            first_row=first_subsampled_pixel(x.shape[1], self.alignment),
            first_column=first_subsampled_pixel(x.shape[2], self.alignment),
            name=f"{name}_shortcut",
        )(x)


def _check_input_shape(input_shape: tuple[int, ...]) -> None:
    is_shape = isinstance(input_shape, (tuple, list)) and len(input_shape) == 3
    if not is_shape or not all(isinstance(n, int) and n > 0 for n in input_shape):
        raise ValueError(
            "Expected `input_shape` to be (height, width, channels) of positive "
            f"integers, got {input_shape}."
        )


def ResNet20(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    name: str = "resnet20",
) -> tf.keras.Model:
    """Builds IR-Net's ResNet-20, with Bi-Real blocks, for any method.

    A block is `y = act(BN(conv(x)) + shortcut(x))`, twice; 3 + 3 + 3 blocks of widths
    16, 32 and 64. Outputs are logits.

    | method | CIFAR-10 top-1 in the paper | parameters, of them binary |
    |---|---|---|
    | float | 91.7 % (other blocks) | 269,850, none |
    | irnet | 86.5 % | 269,850, 267,264 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        pad_values: What binary convolutions pad with: 0.0 as the authors do, or 1.0,
            which Larq Compute Engine runs with less work at the border.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network,
            so that its weights can be imported.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method or alignment, `pad_values` other than 0 and 1,
            or an `input_shape` that is not three positive integers.

    # Example
        >>> model = ResNet20("irnet", input_shape=(8, 8, 1))
        >>> model.output_shape
        (None, 10)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Tables 2 and 3
        - [Bi-Real Net](https://arxiv.org/abs/1808.00278), Fig. 3
    """
    check_alignment(alignment)
    _check_input_shape(input_shape)
    if pad_values not in (0.0, 1.0):
        raise ValueError(f"Expected `pad_values` to be 0.0 or 1.0, got {pad_values}.")
    build = _Builder(irnet.methods.get(method), pad_values, alignment)

    inputs = tf.keras.Input(input_shape, name="images")
    x = Rotate180(name="rotate")(inputs) if alignment == "torch" else inputs
    x = build.stem(x)
    for stage, filters in enumerate(_WIDTHS, start=1):
        for index in range(_BLOCKS_PER_WIDTH * _CONVS_PER_BLOCK):
            block, conv = divmod(index, _CONVS_PER_BLOCK)
            strides = 2 if stage > 1 and index == 0 else 1
            unit = f"stage{stage}_block{block + 1}_conv{conv + 1}"
            x = build.residual_unit(x, filters, strides, unit)
    x = tf.keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = _batch_norm(x, "head_bn")
    x = tf.keras.layers.Dense(
        num_classes,
        kernel_initializer=_INITIALIZER,
        # logits stay in full precision under a mixed precision policy
        dtype=tf.keras.mixed_precision.global_policy().variable_dtype,
        name="logits",
    )(x)
    return tf.keras.Model(inputs, x, name=name)
