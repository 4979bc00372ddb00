"""DARTS: the network for CIFAR-10 that differentiable architecture search found.

The first convolution, the depthwise ones and the classifier stay in full precision; all
1x1 convolutions are binary: those of separable and dilated convolutions, and those that
each cell begins with.
"""

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.darts_cell import CellBuilder
from zoo.models.darts_genotype import DARTS_V2
from zoo.models.depthwise_separable import chosen_block
from zoo.models.network_pieces import NetworkPieces
from zoo.models.torch_initializers import default_kernel

__all__ = ["DARTS"]

_STEM = 3  # times the channels of a node
_FEWEST_CELLS = 3
_REDUCTION = 4


def _check_is_halved_evenly(input_shape: tuple[int, int, int]) -> None:
    height, width, _ = input_shape
    if height % _REDUCTION or width % _REDUCTION:
        raise ValueError(
            f"Expected height and width to be multiples of {_REDUCTION}, as they are "
            f"halved twice, got {input_shape}."
        )


def _check_counts(channels: int, cells: int) -> None:
    for name, count, fewest in (
        ("channels", channels, 1),
        ("cells", cells, _FEWEST_CELLS),
    ):
        if not isinstance(count, int) or count < fewest:
            raise ValueError(
                f"Expected `{name}` to be an integer from {fewest} on, got {count!r}."
            )


def DARTS(
    method: str | irnet.methods.Method = "irnet",
    *,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    num_classes: int = 10,
    channels: int = 36,
    cells: int = 20,
    block: str | None = None,
    pad_values: float = 0.0,
    alignment: str = "tensorflow",
    bn_gamma: str = "ones",
    synchronized_batch_norm: bool = False,
    name: str = "darts",
) -> tf.keras.Model:
    """Builds the evaluation network of DARTS for any method; outputs are logits.

    Cells of the paper's second-order genotype (DARTS_V2) after a 3x3 convolution; those
    after a third and two thirds of them halve the image and double the channels. With
    binary activations there is a shortcut around the pointwise convolution of each
    separable and dilated convolution; the published network has none. The auxiliary
    classifier and the dropping of paths, which regularise its training in full
    precision, are left out.

    | method | block | parameters, of them binary |
    |---|---|---|
    | float | normal | 3,349,342, none |
    | irnet | bi_real | 3,349,342, 3,150,576 |

    # Arguments
        method: One of `larq_irnet.methods.names()`, or a `Method`.
        input_shape: Height, width and channels of an image, static; height and width
            are multiples of 4.
        num_classes: Number of logits.
        channels: Of each node in the first cells.
        cells: Number of cells, at least 3.
        block: "bi_real", a shortcut around every 1x1 convolution that keeps the shape,
            "normal", none, or `None`: "bi_real" if activations are binary.
        pad_values: 0.0 or 1.0, without effect: 1x1 convolutions do not pad.
        alignment: "tensorflow", or "torch" for the geometry of the authors' network.
        bn_gamma: Initial scale of batch normalisations: "ones", "uniform" in [0, 1),
            or "near_zero", 1e-8.
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        name: Name of the model.

    # Returns
        A functional Keras model, [N, H, W, C] images to [N, num_classes] logits.

    # Raises
        ValueError: for an unknown method, block, alignment or `bn_gamma`, `pad_values`
            other than 0 and 1, `channels` or `cells` out of range, or an `input_shape`
            that does not fit.

    # Example
        >>> model = DARTS("irnet", channels=8, cells=6)
        >>> model.get_layer("cell3_concat").output_shape  # four nodes of 16 channels
        (None, 16, 16, 64)

    # References
        - [DARTS: Differentiable Architecture Search](https://arxiv.org/abs/1806.09055),
            Figures 4 and 5, and the authors' code
    """
    method = irnet.methods.get(method)
    _check_counts(channels, cells)
    pieces = NetworkPieces(
        method=method,
        pad_values=pad_values,
        alignment=alignment,
        bn_gamma=bn_gamma,
        synchronized_batch_norm=synchronized_batch_norm,
        kernel_initializer=default_kernel,
    )
    builder = CellBuilder(
        pieces=pieces, genotype=DARTS_V2, block=chosen_block(block, method)
    )
    images = pieces.images(input_shape)
    _check_is_halved_evenly(input_shape)
    x = pieces.float_conv(pieces.to_frame(images), _STEM * channels, 3, "stem_conv")
    last = before_last = pieces.batch_norm(x, "stem_bn")
    filters = channels
    for index in range(cells):
        reduces = index in (cells // 3, 2 * cells // 3)
        filters = 2 * filters if reduces else filters
        cell = builder.cell(
            before_last, last, filters, f"cell{index + 1}", reduces=reduces
        )
        before_last, last = last, cell
    x = pieces.classifier(pieces.pooled(last), num_classes, default_kernel())
    return tf.keras.Model(images, x, name=name)
