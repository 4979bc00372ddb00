"""ResNet-18 and ResNet-34 for ImageNet, as in IR-Net and ReCU.

The 7x7 stem, the three 1x1 convolutions of the shortcuts and the classifier stay in
full precision; all 3x3 convolutions are binary.
"""

from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.published_choices import conv_initializer, default_block
from zoo.models.residual_stages import residual_stages
from zoo.models.torch_initializers import default_kernel, kaiming_normal

__all__ = ["ResNet18", "ResNet34"]

_WIDTHS = (64, 128, 256, 512)


def _imagenet_resnet(
    method: irnet.methods.Method,
    blocks_per_stage: tuple[int, ...],
    *,
    input_shape: tuple[int, int, int],
    num_classes: int,
    block: str | None,
    head_norm: bool,
    name: str,
    **settings: Any,
) -> tf.keras.Model:
    pieces = NetworkPieces(
        method=method,
        kernel_initializer=conv_initializer(method, lambda: kaiming_normal("fan_out")),
        **settings,
    )
    images = pieces.images(input_shape)
    x = pieces.to_frame(images)
    x = pieces.float_conv(x, _WIDTHS[0], 7, "stem_conv", strides=2)
    x = pieces.activate(pieces.batch_norm(x, "stem_bn"), "stem_act")
    x = tf.keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    *_, x = residual_stages(
        pieces,
        x,
        widths=_WIDTHS,
        blocks_per_stage=blocks_per_stage,
        block=block or default_block(method),
        shortcut=pieces.projection,
    )
    x = pieces.pooled(x)
    if head_norm:
        x = pieces.head_batch_norm(x)
    x = pieces.classifier(x, num_classes, default_kernel())
    return tf.keras.Model(images, x, name=name)


def ResNet18(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    block: str | None = None,
    head_norm: bool = True,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "resnet18",
) -> tf.keras.Model:
    """Builds the ResNet-18 of IR-Net and ReCU for ImageNet; outputs are logits.

    2 + 2 + 2 + 2 blocks of widths 64, 128, 256 and 512 after a 7x7 convolution and a
    max pool; where the shape changes the shortcut is a 1x1 convolution with stride 2 in
    full precision. IR-Net's checkpoints also count 2,000 parameters of a
    normalisation that nothing uses.

    | method | block | ImageNet top-1 / top-5 in the paper | parameters, binary |
    |---|---|---|---|
    | float | other | 69.6 / 89.2 % | 11,690,536, none |
    | irnet | bi_real | 58.1 / 80.0 % | 11,690,536, 10,985,472 |
    | irnet_w1a32 | normal | 66.5 / 86.8 % | 11,690,536, 10,985,472 |
    | recu | bi_real | 61.0 / 82.6 % | 11,694,376, 10,985,472 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        block: "bi_real", a shortcut for every convolution, "normal", one for two, or
            `None`: "normal" if only weights are binary, else "bi_real".
        head_norm: Whether a normalisation stands in front of the classifier, as with
            all authors of binary networks. Without it, and with "normal" blocks,
            "float" is the ResNet-18 of torchvision.
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
        ValueError: for an unknown method, block, alignment or `bn_gamma`, `pad_values`
            other than 0 and 1, or an `input_shape` that is not three positive integers.

    # Example
        >>> model = ResNet18("irnet", input_shape=(64, 64, 3), num_classes=200)
        >>> model.output_shape
        (None, 200)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Table 4
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Table 5
    """
    return _imagenet_resnet(
        irnet.methods.get(method),
        (2, 2, 2, 2),
        input_shape=input_shape,
        num_classes=num_classes,
        block=block,
        head_norm=head_norm,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        name=name,
    )


def ResNet34(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    block: str | None = None,
    head_norm: bool = True,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "resnet34",
) -> tf.keras.Model:
    """Builds the ResNet-34 of IR-Net and ReCU for ImageNet; outputs are logits.

    As `ResNet18`, with 3 + 4 + 6 + 3 blocks.

    | method | block | ImageNet top-1 / top-5 in the paper | parameters, binary |
    |---|---|---|---|
    | float | other | 73.3 / 91.3 % | 21,798,696, none |
    | irnet | bi_real | 62.9 / 84.1 % | 21,798,696, 21,086,208 |
    | irnet_w1a32 | normal | 70.4 / 89.5 % | 21,798,696, 21,086,208 |
    | recu | bi_real | 65.1 / 85.8 % | 21,806,248, 21,086,208 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        block: "bi_real", "normal" or `None`, as in `ResNet18`.
        head_norm: Whether a normalisation stands in front of the classifier, as in
            `ResNet18`.
        pad_values: What binary convolutions pad with, 0.0 or 1.0.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network.
        bn_gamma: Initial scale of batch normalisations, as in `ResNet18`.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: as `ResNet18`.

    # Example
        >>> model = ResNet34("irnet_w1a32", input_shape=(64, 64, 3))
        >>> model.output_shape
        (None, 1000)

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Table 4
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Table 5
    """
    return _imagenet_resnet(
        irnet.methods.get(method),
        (3, 4, 6, 3),
        input_shape=input_shape,
        num_classes=num_classes,
        block=block,
        head_norm=head_norm,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        name=name,
    )
