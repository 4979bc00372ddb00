"""ResNet-18 for small images: the network of three papers' experiments.

The first convolution, the classifier and the 1x1 convolutions of IR-Net's shortcuts
stay in full precision; 16 convolutions are binary, in normal blocks.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.published_choices import (
    classifier_initializer,
    conv_initializer,
    default_recovery,
    default_release,
    default_shortcut,
)
from zoo.models.recovery_presets import chosen_recovery
from zoo.models.residual_stages import choose_shortcut, residual_stages
from zoo.models.torch_initializers import default_kernel

__all__ = ["CifarResNet18"]

_WIDTHS = (64, 128, 256, 512)
_BLOCKS_PER_STAGE = (2, 2, 2, 2)
_RELEASES = (2019, 2020, 2022)
_RECOVERY = {"ir2net": {"ratio": 20}}


def CifarResNet18(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    release: int | None = None,
    shortcut: str | None = None,
    recovery: str | Mapping[str, Any] | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "cifar_resnet18",
) -> tf.keras.Model:
    """Builds the ResNet-18 for small images of three papers; outputs are logits.

    2 + 2 + 2 + 2 normal blocks of widths 64, 128, 256 and 512; where the shape changes
    IR-Net's shortcut is a 1x1 convolution with stride 2 in full precision, ReCU's has
    no weights. IR-Net's authors released two versions: that of 2020, and ReCU's, has no
    activation after the first normalisation, so that the first binary convolution sees
    values beyond 1, and normalises in front of the classifier; that of 2019 is the
    other way round. IR2Net's does both.

    | method | shortcut | CIFAR-10 top-1 in the paper | parameters, of them binary |
    |---|---|---|---|
    | float | strided | 93.0 % | 11,174,986, none |
    | irnet | strided | 91.5 % | 11,174,986, 10,985,472 |
    | recu | average_pool | 92.8 % | 11,005,002, 10,985,472 |
    | ir2net | strided | 92.5 % | 11,207,096, 10,985,472 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        release: Year of the authors' code: 2019 or 2020, IR-Net's, or 2022, IR2Net's;
            `None` for the method's own, 2020 if it has none.
        shortcut: How shortcuts change the shape: "strided" by a 1x1 convolution,
            "average_pool" by the mean of 2x2 pixels and channels of zeros; `None` for
            the method's own.
        recovery: Information recovery in front of the pool: "ir2net" for that of
            IR2Net, "none", or arguments of `larq_irnet.layers.InformationRecovery`
            ("ratio", "groups") by name; `None` for the method's own.
        pad_values: What binary convolutions pad with: 0.0 as the authors do, or 1.0,
            which Larq Compute Engine runs with less work at the border.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network,
            so that its weights can be imported.
        bn_gamma: Initial scale of batch normalisations: "ones", "uniform" in [0, 1) as
            the authors' PyTorch 0.4.1 and 1.1.0 had it, or "near_zero", 1e-8, but
            "uniform" in front of the classifier.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, release, shortcut, recovery, alignment or
            `bn_gamma`, `pad_values` other than 0 and 1, an `input_shape` that is not
            three positive integers, or one whose size strides do not divide, if there
            is information recovery.

    # Example
        >>> model = CifarResNet18("irnet", num_classes=100)
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
    release = default_release(method) if release is None else release
    if release not in _RELEASES:
        raise ValueError(
            f"Expected `release` to be one of {list(_RELEASES)}, got {release!r}."
        )
    fusion = chosen_recovery(recovery, _RECOVERY, default_recovery(method, "ir2net"))
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=conv_initializer(method, default_kernel),
    )
    images = pieces.images(input_shape)
    x = pieces.float_conv(pieces.to_frame(images), _WIDTHS[0], 3, "stem_conv")
    x = pieces.batch_norm(x, "stem_bn")
    if release != 2020:
        x = pieces.activate(x, "stem_act")
    stages = residual_stages(
        pieces,
        x,
        widths=_WIDTHS,
        blocks_per_stage=_BLOCKS_PER_STAGE,
        block="normal",
        shortcut=choose_shortcut(
            shortcut or default_shortcut(method),
            {"strided": pieces.projection, "average_pool": pieces.pooled_option_a},
        ),
    )
    x = pieces.pooled(pieces.recovered([x, *stages], fusion))
    if release != 2019:
        x = pieces.head_batch_norm(x)
    kernel = classifier_initializer(method, default_kernel)
    x = pieces.classifier(x, num_classes, kernel)
    return tf.keras.Model(images, x, name=name)
