"""ResNet-18 of IR2Net for ImageNet: ReActNet's without shifts, and with recovery.

The 7x7 stem, the three 1x1 convolutions of the shortcuts, the fusion and the classifier
stay in full precision; all 3x3 convolutions of the stages are binary.
"""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.network_pieces import NetworkPieces
from zoo.models.published_choices import default_recovery
from zoo.models.recovery_presets import chosen_recovery
from zoo.models.torch_initializers import default_kernel

__all__ = ["IR2Net18"]

_WIDTHS = (64, 128, 256, 512)
_CONVS_PER_STAGE = 4
_LATENT_LIMIT = 0.001
_RECOVERY = {
    "A": {"ratio": 1},
    "B": {"ratio": 2},
    "C": {"ratio": 4, "groups": 8},
    "D": {"ratio": 20},
}


def _unit(
    pieces: NetworkPieces, x: tf.Tensor, filters: int, strides: int, name: str
) -> tf.Tensor:
    kept = pieces.pooled_projection(x, filters, name) if strides > 1 else x
    x = pieces.binary_conv(
        x, filters, f"{name}_conv1", strides, _small_positive_numbers()
    )
    x = tf.keras.layers.Add(name=f"{name}_conv1_add")(
        [pieces.batch_norm(x, f"{name}_conv1_bn"), kept]
    )
    return pieces.prelu(x, f"{name}_prelu")


def _small_positive_numbers() -> tf.keras.initializers.Initializer:
    """The authors' latent weights: all signs are alike at first."""
    return tf.keras.initializers.RandomUniform(0.0, _LATENT_LIMIT)


def IR2Net18(
    method: str | irnet.methods.Method = "ir2net",
    *,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    num_classes: int = 1000,
    recovery: str | Mapping[str, Any] | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "ir2net18",
) -> tf.keras.Model:
    """Builds IR2Net's ResNet-18 for ImageNet, for any method; outputs are logits.

    4 + 4 + 4 + 4 binary convolutions of widths 64, 128, 256 and 512, each with its own
    shortcut: binary convolution, normalisation, sum with the shortcut, PReLU. Where the
    shape changes the shortcut is an average pool and a 1x1 convolution in full
    precision. The features of the stem, in front of its pool, and of all stages are
    fused in front of the classifier. PReLUs are the non-linearity whatever the method's
    activation is.

    | recovery | fusion | ImageNet top-1 / top-5 published | parameters |
    |---|---|---|---|
    | A | 1x1 convolution | 68.2 / 88.0 % | 12,220,264 |
    | B | ratio 2 | 67.0 / 87.1 % | 11,960,424 |
    | C | ratio 4, 8 groups | 66.6 / 87.0 % | 11,882,344 |
    | D | ratio 20 | 63.8 / 85.5 % | 11,727,070 |

    Of the parameters 10,985,472 are binary.

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static; with recovery
            height and width are multiples of 32.
        num_classes: Number of logits.
        recovery: "A", "B", "C" or "D", "none", or arguments of
            `larq_irnet.layers.InformationRecovery` ("ratio", "groups") by name; `None`
            for "A" with IR2Net and "none" with other methods.
        pad_values: What binary convolutions pad with: 0.0 as the authors do, or 1.0,
            which Larq Compute Engine runs with less work at the border.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network,
            so that its weights can be imported.
        bn_gamma: Initial scale of batch normalisations: "ones", as the authors' PyTorch
            1.3.0 has it, "uniform" in [0, 1), or "near_zero", 1e-8, but "uniform" in
            front of the classifier.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, recovery, alignment or `bn_gamma`,
            `pad_values` other than 0 and 1, or an `input_shape` that does not fit.

    # Example
        >>> model = IR2Net18("ir2net", input_shape=(64, 64, 3), recovery="D")
        >>> model.output_shape
        (None, 1000)

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
    """
    method = irnet.methods.get(method)
    fusion = chosen_recovery(recovery, _RECOVERY, default_recovery(method, "A"))
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=default_kernel,
    )
    images = pieces.images(input_shape)
    x = pieces.to_frame(images)
    x = pieces.float_conv(x, _WIDTHS[0], 7, "stem_conv", strides=2)
    x = pieces.prelu(pieces.batch_norm(x, "stem_bn"), "stem_prelu")
    taps = [x]
    x = tf.keras.layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, filters in enumerate(_WIDTHS, start=1):
        for number in range(1, _CONVS_PER_STAGE + 1):
            strides = 2 if stage > 1 and number == 1 else 1
            x = _unit(pieces, x, filters, strides, f"stage{stage}_block{number}")
        taps.append(x)
    x = pieces.recovered(taps, fusion, activation="prelu")
    x = pieces.head_batch_norm(pieces.pooled(x))
    x = pieces.classifier(x, num_classes, default_kernel())
    return tf.keras.Model(images, x, name=name)
