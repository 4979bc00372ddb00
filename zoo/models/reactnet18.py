"""ResNet-18 in the manner of ReActNet: the network of ReCU's two-stage training.

Learned shifts stand in front of every sign and around every PReLU. The 7x7 stem, the
three 1x1 convolutions of the shortcuts and the classifier stay in full precision; all
3x3 convolutions are binary.
"""

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.torch_initializers import default_kernel

__all__ = ["ReActNet18"]

_WIDTHS = (64, 128, 256, 512)
_CONVS_PER_STAGE = 4


def _shift(x: tf.Tensor, name: str) -> tf.Tensor:
    return irnet.layers.LearnableBias(name=name)(x)


def _unit(
    pieces: NetworkPieces, x: tf.Tensor, filters: int, strides: int, name: str
) -> tf.Tensor:
    kept = pieces.pooled_projection(x, filters, name) if strides > 1 else x
    x = pieces.binary_conv(
        _shift(x, f"{name}_move0"), filters, f"{name}_conv1", strides
    )
    x = tf.keras.layers.Add(name=f"{name}_conv1_add")(
        [pieces.batch_norm(x, f"{name}_conv1_bn"), kept]
    )
    x = pieces.prelu(_shift(x, f"{name}_move1"), f"{name}_prelu")
    return _shift(x, f"{name}_move2")


def ReActNet18(
    method: str | irnet.methods.Method = "recu",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "reactnet18",
) -> tf.keras.Model:
    """Builds ReActNet's ResNet-18 for ImageNet, for any method; outputs are logits.

    4 + 4 + 4 + 4 binary convolutions of widths 64, 128, 256 and 512, each with its own
    shortcut: shift, binary convolution, normalisation, sum with the shortcut, shift,
    PReLU, shift. Where the shape changes the shortcut is an average pool and a 1x1
    convolution in full precision. The shifts and PReLUs are the non-linearity whatever
    the method's activation is.

    | method | ImageNet top-1 published | parameters, of them binary |
    |---|---|---|
    | recu | 66.4 % | 11,708,264, 10,985,472 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static.
        num_classes: Number of logits.
        pad_values: What binary convolutions pad with: 0.0 as the authors do, or 1.0,
            which Larq Compute Engine runs with less work at the border.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network,
            so that its weights can be imported.
        bn_gamma: Initial scale of batch normalisations: "ones", "uniform" in [0, 1) as
            the authors' PyTorch 1.1.0 had it, or "near_zero", 1e-8.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, alignment or `bn_gamma`, `pad_values` other
            than 0 and 1, or an `input_shape` that is not three positive integers.

    # Example
        >>> model = ReActNet18("recu", input_shape=(64, 64, 3), num_classes=200)
        >>> model.output_shape
        (None, 200)

    # References
        - [ReActNet: Towards Precise Binary Neural Network with Generalized Activation
            Functions](https://arxiv.org/abs/2003.03488)
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), the authors' code
    """
    pieces = NetworkPieces(
        method=irnet.methods.get(method),
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=default_kernel,
    )
    images = pieces.images(input_shape)
    x = pieces.to_frame(images)
    x = pieces.float_conv(x, _WIDTHS[0], 7, "stem_conv", strides=2)
    x = pieces.batch_norm(x, "stem_bn")
    x = tf.keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, filters in enumerate(_WIDTHS, start=1):
        for number in range(1, _CONVS_PER_STAGE + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = _unit(pieces, x, filters, strides, f"stage{stage}_block{number}")
    x = pieces.classifier(pieces.pooled(x), num_classes, default_kernel())
    return tf.keras.Model(images, x, name=name)
