"""ResNet-20 for small images: the network of three papers' experiments.

The first convolution and the classifier stay in full precision; the 18 convolutions in
between are binary.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.published_choices import (
    classifier_initializer,
    default_block,
    default_recovery,
    default_shortcut,
)
from zoo.models.recovery_presets import chosen_recovery
from zoo.models.residual_stages import choose_shortcut, residual_stages
from zoo.models.torch_initializers import kaiming_normal

__all__ = ["ResNet20"]

_WIDTHS = (16, 32, 64)
_BLOCKS_PER_STAGE = (3, 3, 3)
_RECOVERY = {"ir2net": {"ratio": 4}}


def ResNet20(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    block: str | None = None,
    shortcut: str | None = None,
    recovery: str | Mapping[str, Any] | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "resnet20",
) -> tf.keras.Model:
    """Builds the ResNet-20 of three papers for any method; outputs are logits.

    3 + 3 + 3 blocks of widths 16, 32 and 64; where the shape changes the shortcut
    halves the image and surrounds the channels with zeros. With a method that binarizes
    weights only it is IR-Net's other network: no activation after the first
    normalisation, one in front of the classifier.

    | method | block | shortcut | CIFAR-10 top-1 in the paper | parameters, binary |
    |---|---|---|---|---|
    | irnet | bi_real | strided | 86.5 % | 269,850, 267,264 |
    | irnet | normal | strided | 85.4 % | 269,850, 267,264 |
    | irnet_w1a32 | normal | strided | 90.8 % | 269,850, 267,264 |
    | recu | bi_real | average_pool | 87.4 % | 270,522, 267,264 |
    | ir2net | bi_real | strided | 87.2 % | 272,458, 267,264 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        block: "bi_real", a shortcut for every convolution, "normal", one for two, or
            `None`: "normal" if only weights are binary, else "bi_real".
        shortcut: How shortcuts halve the image: "strided" takes every second pixel,
            "average_pool" the mean of 2x2; `None` for the method's own.
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
        ValueError: for an unknown method, block, shortcut, recovery, alignment or
            `bn_gamma`, `pad_values` other than 0 and 1, an `input_shape` that is not
            three positive integers, or one whose size strides do not divide, if there
            is information recovery.

    # Example
        >>> model = ResNet20("irnet", input_shape=(8, 8, 1))
        >>> model.output_shape
        (None, 10)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Tables 2 and 3
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Table 4
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637)
        - [Bi-Real Net](https://arxiv.org/abs/1808.00278), Fig. 3
    """
    method = irnet.methods.get(method)
    fusion = chosen_recovery(recovery, _RECOVERY, default_recovery(method, "ir2net"))
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=lambda: kaiming_normal("fan_in"),
    )
    images = pieces.images(input_shape)
    x = pieces.float_conv(pieces.to_frame(images), _WIDTHS[0], 3, "stem_conv")
    x = pieces.batch_norm(x, "stem_bn")
    if not method.is_weight_only:
        x = pieces.activate(x, "stem_act")
    stages = residual_stages(
        pieces,
        x,
        widths=_WIDTHS,
        blocks_per_stage=_BLOCKS_PER_STAGE,
        block=block or default_block(method),
        shortcut=choose_shortcut(
            shortcut or default_shortcut(method),
            {"strided": pieces.option_a, "average_pool": pieces.pooled_option_a},
        ),
    )
    x = pieces.recovered([x, *stages], fusion)
    x = pieces.head_batch_norm(pieces.pooled(x))
    if method.is_weight_only:
        x = pieces.activate(x, "head_act")
    kernel = classifier_initializer(method, lambda: kaiming_normal("fan_in"))
    x = pieces.classifier(x, num_classes, kernel)
    return tf.keras.Model(images, x, name=name)
