"""VGG-Small: six convolutions and one linear layer, for small images.

The first convolution and the classifier stay in full precision; five convolutions are
binary. Pooling comes between a convolution and its normalisation.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.published_choices import default_recovery, has_default_classifier
from zoo.models.recovery_presets import chosen_recovery
from zoo.models.torch_initializers import default_kernel, kaiming_normal

__all__ = ["VGGSmall"]

_WIDTHS = (128, 128, 256, 256, 512, 512)
_POOLED = (1, 3, 5)  # convolutions that a 2x2 max pool follows
_CLASSIFIER_DEVIATION = 0.01
_RECOVERY = {"ir2net": {"ratio": 32}}


def _check_is_halved_evenly(input_shape: tuple[int, int, int]) -> None:
    height, width, _ = input_shape
    smallest = 2 ** len(_POOLED)
    if height % smallest or width % smallest:
        raise ValueError(
            f"Expected height and width to be multiples of {smallest}, as they are "
            f"halved three times, got {input_shape}."
        )


def VGGSmall(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    recovery: str | Mapping[str, Any] | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "vgg_small",
) -> tf.keras.Model:
    """Builds the VGG-Small of three papers for any method; outputs are logits.

    Convolutions of widths 128, 128, 256, 256, 512 and 512, each followed by
    normalisation and activation, every second one by a 2x2 max pool in between.

    | method | CIFAR-10 top-1 in the paper | parameters, of them binary |
    |---|---|---|
    | float | 91.7 % | 4,660,106, none |
    | irnet | 90.4 % | 4,660,106, 4,571,136 |
    | recu | 92.2 % | 4,661,770, 4,571,136 |
    | ir2net | 91.5 % | 4,675,834, 4,571,136 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static; height and width
            are multiples of 8.
        num_classes: Number of logits.
        recovery: Information recovery in front of the classifier: "ir2net" for that of
            IR2Net, "none", or arguments of `larq_irnet.layers.InformationRecovery`
            ("ratio", "groups") by name; `None` for the method's own.
        pad_values: What binary convolutions pad with: 0.0 as the authors do, or 1.0,
            which Larq Compute Engine runs with less work at the border.
        alignment: "tensorflow" or "torch", which are the same here: nothing has a
            stride and pools divide evenly. Weights can be imported with either.
        bn_gamma: Initial scale of batch normalisations: "ones", as all authors set it
            here, "uniform" in [0, 1), or "near_zero", 1e-8.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, recovery, alignment or `bn_gamma`,
            `pad_values` other than 0 and 1, or an `input_shape` that does not fit.

    # Example
        >>> model = VGGSmall("irnet", num_classes=100)
        >>> model.output_shape
        (None, 100)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Table 3
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Table 4
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637)
    """
    method = irnet.methods.get(method)
    fusion = chosen_recovery(recovery, _RECOVERY, default_recovery(method, "ir2net"))
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=lambda: kaiming_normal("fan_out"),
    )
    images = pieces.images(input_shape)
    _check_is_halved_evenly(input_shape)
    x = images  # no strides: PyTorch's geometry is TensorFlow's
    for index, filters in enumerate(_WIDTHS):
        conv = f"conv{index}"
        if index == 0:
            x = pieces.float_conv(x, filters, 3, conv)
        else:
            x = pieces.binary_conv(x, filters, conv)
        if index in _POOLED:
            x = tf.keras.layers.MaxPooling2D(name=f"{conv}_pool")(x)
        x = pieces.activate(pieces.batch_norm(x, f"{conv}_bn"), f"{conv}_act")
        if index == 0:
            stem = x
    x = pieces.recovered([stem, x], fusion)
    if has_default_classifier(method):
        x = pieces.classifier(x, num_classes, default_kernel())
    else:
        x = pieces.classifier(
            x,
            num_classes,
            tf.keras.initializers.RandomNormal(stddev=_CLASSIFIER_DEVIATION),
            bias_initializer=tf.keras.initializers.Zeros(),
        )
    return tf.keras.Model(images, x, name=name)
