"""EfficientNet-B0: inverted bottlenecks whose channels are weighed.

The first convolution, the depthwise ones, squeeze-and-excite and the classifier stay in
full precision; the 1x1 convolutions that expand, project and end the network are
binary.
"""

import math
from dataclasses import dataclass, replace

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.depthwise_separable import (
    chosen_block,
    has_binary_inputs,
    pointwise,
)
from zoo.models.mbconv import mbconv
from zoo.models.network_pieces import NetworkPieces
from zoo.models.stem_strides import check_stem_strides
from zoo.models.torch_initializers import kaiming_normal

__all__ = ["EfficientNetB0"]

_STEM_WIDTH = 32
_HEAD_WIDTH = 1280
_DIVISOR = 8  # of all numbers of channels


@dataclass(frozen=True)
class _Stage:
    """One row of the paper's Table 1."""

    blocks: int
    size: int  # of the depthwise kernel
    strides: int  # of the first block
    expansion: int
    filters: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)


def _scaled(filters: int, width: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth smaller."""
    scaled = filters * width
    rounded = max(_DIVISOR, int(scaled + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded if rounded >= 0.9 * scaled else rounded + _DIVISOR


def _check_scale(name: str, coefficient: float) -> None:
    if not 0 < coefficient < math.inf:
        raise ValueError(f"Expected `{name}` to be positive, got {coefficient}.")


def _with_published_activation(method: irnet.methods.Method) -> irnet.methods.Method:
    return method if has_binary_inputs(method) else replace(method, activation="swish")


def EfficientNetB0(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    width: float = 1.0,
    depth: float = 1.0,
    stem_strides: int = 2,
    block: str | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "efficientnet_b0",
) -> tf.keras.Model:
    """Builds EfficientNet-B0 for any method; outputs are logits.

    16 blocks in seven stages: a 1x1 convolution expands the channels six times, a
    depthwise one filters them, squeeze-and-excite weighs them, a 1x1 convolution
    projects them. The non-linearity is swish where activations are real, else that of
    the method; within the gates of squeeze-and-excite it is always swish.

    With binary activations two things are not as published. A gate is positive, so that
    the sign of the projection would not see it: it stands between the depthwise
    convolution and its normalisation (the weights are the same, in another order). And
    a 1x1 convolution that keeps the shape, which there is in narrow networks only, has
    a shortcut of its own. The shortcuts of the blocks stay.

    Normalisations have the constants of this package's other networks; dropout and
    stochastic depth, which regularise networks in full precision, are left out.

    | method | parameters, of them binary |
    |---|---|
    | float | 5,288,548, none |
    | irnet | 5,288,548, 3,146,112 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        width: All numbers of channels times it, rounded to multiples of 8 as in the
            paper's compound scaling.
        depth: The numbers of blocks times it, rounded up.
        stem_strides: Strides of the first convolution: 2 as published, 1 for images
            as small as those of CIFAR.
        block: "bi_real", a shortcut around every 1x1 convolution that keeps the shape,
            "normal", none but the published, or `None`: "bi_real" if activations are
            binary.
        pad_values: 0.0 or 1.0, without effect: 1x1 convolutions do not pad.
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
            other than 0 and 1, `stem_strides` other than 1 and 2, a `width` or `depth`
            that is not positive, or an `input_shape` that is not three positive
            integers.

    # Example
        >>> model = EfficientNetB0(
        ...     "irnet", input_shape=(32, 32, 3), num_classes=10, stem_strides=1
        ... )
        >>> model.get_layer("head_conv").input_shape
        (None, 2, 2, 320)

    # References
        - [EfficientNet: Rethinking Model Scaling for Convolutional Neural
            Networks](https://arxiv.org/abs/1905.11946), Table 1
    """
    method = _with_published_activation(irnet.methods.get(method))
    block = chosen_block(block, method)
    check_stem_strides(stem_strides)
    _check_scale("width", width)
    _check_scale("depth", depth)
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
    filters = _scaled(_STEM_WIDTH, width)
    x = pieces.float_conv(x, filters, 3, "stem_conv", strides=stem_strides)
    x = pieces.activate(pieces.batch_norm(x, "stem_bn"), "stem_act")
    for index, stage in enumerate(_STAGES, start=1):
        for number in range(1, math.ceil(stage.blocks * depth) + 1):
            x = mbconv(
                pieces,
                x,
                _scaled(stage.filters, width),
                f"stage{index}_block{number}",
                size=stage.size,
                strides=stage.strides if number == 1 else 1,
                expansion=stage.expansion,
                block=block,
            )
    x = pointwise(pieces, x, _scaled(_HEAD_WIDTH, width), "head_conv", block=block)
    x = pieces.pooled(pieces.activate(x, "head_act"))
    x = pieces.classifier(
        x,
        num_classes,
        tf.keras.initializers.VarianceScaling(1.0 / 3.0, "fan_out", "uniform"),
        bias_initializer=tf.keras.initializers.Zeros(),
    )
    return tf.keras.Model(images, x, name=name)
