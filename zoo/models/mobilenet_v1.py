"""MobileNetV1: depthwise separable convolutions and nothing else.

The first convolution, the 13 depthwise ones and the classifier stay in full precision;
the 13 pointwise convolutions are binary.
"""

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.depthwise_separable import chosen_block, depthwise, pointwise
from zoo.models.network_pieces import NetworkPieces
from zoo.models.stem_strides import check_stem_strides
from zoo.models.torch_initializers import default_kernel, kaiming_normal

__all__ = ["MobileNetV1"]

_STEM_WIDTH = 32
_UNITS = (  # channels, strides
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1)),
    *((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)


def _check_width(alpha: float) -> None:
    if not int(_STEM_WIDTH * alpha) >= 1:
        raise ValueError(
            f"Expected `alpha` to leave at least one of {_STEM_WIDTH} channels, got "
            f"{alpha}."
        )


def _unit(
    pieces: NetworkPieces,
    x: tf.Tensor,
    filters: int,
    strides: int,
    block: str,
    name: str,
) -> tf.Tensor:
    conv = f"{name}_depthwise"
    x = depthwise(x, 3, conv, strides=strides, initializer=kaiming_normal("fan_out"))
    x = pieces.activate(pieces.batch_norm(x, f"{conv}_bn"), f"{conv}_act")
    conv = f"{name}_pointwise"
    x = pointwise(pieces, x, filters, conv, block=block)
    return pieces.activate(x, f"{conv}_act")


def MobileNetV1(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    alpha: float = 1.0,
    stem_strides: int = 2,
    block: str | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "mobilenet_v1",
) -> tf.keras.Model:
    """Builds MobileNetV1 for any method; outputs are logits.

    A 3x3 convolution, then 13 units of a depthwise 3x3 and a pointwise convolution,
    each normalised and activated. With binary activations there is a shortcut around
    each of the eight pointwise convolutions that keep the number of channels; the
    published network has none. Normalisations have the constants of this package's
    other networks, and nothing is dropped out.

    | method | block | parameters, of them binary |
    |---|---|---|
    | float | normal | 4,231,976, none |
    | irnet | bi_real | 4,231,976, 3,139,584 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        alpha: The width multiplier of the paper: all numbers of channels times it,
            rounded down.
        stem_strides: Strides of the first convolution: 2 as published, 1 for images
            as small as those of CIFAR.
        block: "bi_real", a shortcut around every pointwise convolution that keeps the
            shape, "normal", none, or `None`: "bi_real" if activations are binary.
        pad_values: 0.0 or 1.0, without effect: pointwise convolutions do not pad.
        alignment: "tensorflow", as published, or "torch" for strided windows that
            begin where symmetric padding lets them begin.
        bn_gamma: Initial scale of batch normalisations: "ones", "uniform" in [0, 1),
            or "near_zero", 1e-8.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, block, alignment or `bn_gamma`, `pad_values`
            other than 0 and 1, `stem_strides` other than 1 and 2, an `alpha` that
            leaves no channels, or an `input_shape` that is not three positive integers.

    # Example
        >>> model = MobileNetV1(
        ...     "irnet", input_shape=(32, 32, 3), num_classes=10, stem_strides=1
        ... )
        >>> model.get_layer("unit13_pointwise_add").output_shape
        (None, 2, 2, 1024)

    # References
        - [MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
            Applications](https://arxiv.org/abs/1704.04861), Table 1
        - [Bi-Real Net](https://arxiv.org/abs/1808.00278), Fig. 3
    """
    method = irnet.methods.get(method)
    block = chosen_block(block, method)
    check_stem_strides(stem_strides)
    _check_width(alpha)
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=lambda: kaiming_normal("fan_out"),
    )
    images = pieces.images(input_shape)
    x = pieces.to_frame(images)
    width = int(_STEM_WIDTH * alpha)
    x = pieces.float_conv(x, width, 3, "stem_conv", strides=stem_strides)
    x = pieces.activate(pieces.batch_norm(x, "stem_bn"), "stem_act")
    for number, (filters, strides) in enumerate(_UNITS, start=1):
        x = _unit(pieces, x, int(filters * alpha), strides, block, f"unit{number}")
    x = pieces.classifier(pieces.pooled(x), num_classes, default_kernel())
    return tf.keras.Model(images, x, name=name)
