"""Residual stages of binary convolutions: Bi-Real blocks and normal blocks.

A Bi-Real block has one shortcut for every convolution,
`y = act(BN(conv(x)) + shortcut(x))` twice; a normal block has one for both,
`y = act(BN(conv(act(BN(conv(x))))) + shortcut(x))`.
"""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from zoo.models.network_pieces import NetworkPieces

__all__ = ["BLOCKS", "choose_shortcut", "residual_stages"]

Shortcut = Callable[[tf.Tensor, int, str], tf.Tensor]


def _bi_real_block(
    pieces: NetworkPieces,
    x: tf.Tensor,
    filters: int,
    strides: int,
    shortcut: Shortcut | None,
    name: str,
) -> tf.Tensor:
    for conv, stride in (1, strides), (2, 1):
        unit = f"{name}_conv{conv}"
        kept = x if conv == 2 or not shortcut else shortcut(x, filters, name)
        x = pieces.binary_conv(x, filters, unit, stride)
        x = pieces.batch_norm(x, f"{unit}_bn")
        x = tf.keras.layers.Add(name=f"{unit}_add")([x, kept])
        x = pieces.activate(x, f"{unit}_act")
    return x


def _normal_block(
    pieces: NetworkPieces,
    x: tf.Tensor,
    filters: int,
    strides: int,
    shortcut: Shortcut | None,
    name: str,
) -> tf.Tensor:
    kept = shortcut(x, filters, name) if shortcut else x
    x = pieces.binary_conv(x, filters, f"{name}_conv1", strides)
    x = pieces.activate(pieces.batch_norm(x, f"{name}_conv1_bn"), f"{name}_conv1_act")
    x = pieces.binary_conv(x, filters, f"{name}_conv2")
    x = pieces.batch_norm(x, f"{name}_conv2_bn")
    x = tf.keras.layers.Add(name=f"{name}_add")([x, kept])
    return pieces.activate(x, f"{name}_act")


_BLOCKS = {"bi_real": _bi_real_block, "normal": _normal_block}
BLOCKS = tuple(_BLOCKS)


def choose_shortcut(name: str, choices: Mapping[str, Shortcut]) -> Shortcut:
    """What makes the shortcuts where the shape changes.

    # Raises
        ValueError: for an unknown name.
    """
    if name not in choices:
        raise ValueError(f"Expected `shortcut` out of {list(choices)}, got {name!r}.")
    return choices[name]


def residual_stages(
    pieces: NetworkPieces,
    x: tf.Tensor,
    *,
    widths: Sequence[int],
    blocks_per_stage: Sequence[int],
    block: str,
    shortcut: Shortcut,
) -> list[tf.Tensor]:
    """Stages of blocks; each but the first halves the image.

    # Arguments
        pieces: Makes the layers.
        x: Features with the first of `widths` channels.
        widths: Channels of each stage.
        blocks_per_stage: Number of blocks in each stage.
        block: "bi_real" or "normal".
        shortcut: Called with input, channels and name where the shape changes.

    # Returns
        The features at the end of each stage.

    # Raises
        ValueError: for an unknown block.
    """
    if block not in _BLOCKS:
        raise ValueError(f"Expected `block` out of {list(BLOCKS)}, got {block!r}.")
    features = []
    for stage, (filters, blocks) in enumerate(zip(widths, blocks_per_stage), start=1):
        for number in range(1, blocks + 1):
            changes = stage > 1 and number == 1
            x = _BLOCKS[block](
                pieces,
                x,
                filters,
                2 if changes else 1,
                shortcut if changes else None,
                f"stage{stage}_block{number}",
            )
        features.append(x)
    return features
