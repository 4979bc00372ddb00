"""Information recovery for networks: taps of several depths, fused for the classifier.

```python
model = irnet.recovery.add_recovery(model, ["stage1", "stage2", "stage3"], ratio=4)
```

The features of the first taps, pooled to the size of the last, and those of the last
itself go through a `larq_irnet.layers.InformationRecovery`, whose output takes the
place of the last tap's.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional
from larq_irnet.graph_config import pointing
from larq_irnet.layers import InformationRecovery
from larq_irnet.quantized_scope import quantized_scope

__all__ = ["add_recovery", "pooled_taps"]


def _check_features(tap: str, shape: Sequence[int | None]) -> None:
    if len(shape) != 4 or None in tuple(shape)[1:]:
        raise ValueError(
            "Expected taps with features [N, H, W, C] of a known size, got "
            f"{tap!r} with the shape {tuple(shape)}."
        )


def _pool_size(tap: str, shape: Sequence[int], last: Sequence[int]) -> tuple[int, int]:
    """How many pixels of a tap become one of the last tap's, per axis."""
    height, width = (int(shape[axis]) for axis in (1, 2))
    if height % last[1] or width % last[2]:
        raise ValueError(
            f"Expected the height and width of tap {tap!r} to be multiples of those of "
            f"the last, {last[1]}x{last[2]}, so that equal pools cover it, got "
            f"{height}x{width}. Tap from shallow to deep, and choose an image size "
            "that every stride divides."
        )
    return height // last[1], width // last[2]


def pooled_taps(taps: Sequence[tf.Tensor], *, name: str = "taps") -> tf.Tensor:
    """Features of several depths at the size of the last, one behind the other.

    # Arguments
        taps: Symbolic features [N, H, W, C] from shallow to deep; height and width of
            each are multiples of the last one's.
        name: What the names of the layers begin with.

    # Returns
        [N, H_last, W_last, sum of all C], by layers of a functional model.

    # Raises
        ValueError: for fewer than two taps, unknown sizes and sizes that do not
            divide.

    # Example
        >>> shallow = tf.keras.Input((8, 8, 3))
        >>> deep = tf.keras.layers.Conv2D(6, 3, strides=2, padding="same")(shallow)
        >>> pooled_taps([shallow, deep]).shape
        TensorShape([None, 4, 4, 9])
    """
    if len(taps) < 2:
        raise ValueError(f"Expected at least two taps, got {len(taps)}.")
    for tap in taps:
        _check_features(_producer(tap), tap.shape)
    pooled = []
    for number, tap in enumerate(taps, start=1):
        size = _pool_size(_producer(tap), tap.shape, taps[-1].shape)
        pool = tf.keras.layers.AveragePooling2D(size, name=f"{name}_pool{number}")
        pooled.append(tap if size == (1, 1) else pool(tap))
    return tf.keras.layers.Concatenate(name=f"{name}_concat")(pooled)


def _producer(tap: tf.Tensor) -> str:
    """The name of the layer that a tap is the output of."""
    node = getattr(tap, "node", None)
    return str(getattr(tap, "name", "tap")) if node is None else node.layer.name


def _check_taps(model: tf.keras.Model, taps: Sequence[str]) -> None:
    if not is_functional(model):
        raise ValueError(
            "Expected a built functional or sequential Keras model, got "
            f"{type(model).__name__}. Rebuild it with tf.keras.Input and "
            "tf.keras.Model."
        )
    layers = {layer.name: layer for layer in model.layers}
    unknown = [tap for tap in taps if tap not in layers]
    if unknown:
        raise ValueError(
            f"Expected `taps` to name layers of {model.name!r}, got {unknown}. It has "
            f"{[*layers]}."
        )
    repeated = sorted({tap for tap in taps if list(taps).count(tap) > 1})
    if repeated:
        raise ValueError(f"Expected each tap once, got {repeated} several times.")
    shared = [tap for tap in taps if len(layers[tap].inbound_nodes) != 1]
    if shared:
        raise ValueError(
            f"Expected layers that are used once as taps, got {shared}, which are "
            "called several times. Name the layers behind them."
        )


def add_recovery(
    model: tf.keras.Model,
    taps: Sequence[str],
    *,
    ratio: int,
    groups: int | None = None,
    name: str = "fusion",
    **options: Any,
) -> tf.keras.Model:
    """A copy of a model with information recovery behind the last of some layers.

    What read the output of the last tap reads the fused features in its place, which
    have the same shape. All other layers and their names stay; all weights are copied.

    # Arguments
        model: A built functional or sequential model.
        taps: Names of layers with features [N, H, W, C], from shallow to deep; height
            and width of each are multiples of the last one's.
        ratio: As for `larq_irnet.layers.InformationRecovery`.
        groups: As for `larq_irnet.layers.InformationRecovery`.
        name: Name of the new layer, and what those of the pools in front begin with.
        options: Further arguments of `larq_irnet.layers.InformationRecovery`, such as
            `activation`.

    # Returns
        A functional model that shares nothing with `model`.

    # Raises
        ValueError: for a model that is not functional; for fewer than two taps, and
            taps that do not exist, are named twice, used several times or of sizes
            that do not divide; if a layer has one of the new names, and as
            `larq_irnet.layers.InformationRecovery`.

    # Example
        >>> images = tf.keras.Input((8, 8, 1))
        >>> x = tf.keras.layers.Conv2D(4, 3, padding="same", name="shallow")(images)
        >>> x = tf.keras.layers.Conv2D(8, 3, 2, padding="same", name="deep")(x)
        >>> x = tf.keras.layers.GlobalAveragePooling2D()(x)
        >>> model = tf.keras.Model(images, tf.keras.layers.Dense(10)(x))
        >>> recovered = add_recovery(model, ["shallow", "deep"], ratio=2)
        >>> recovered.get_layer("fusion").input_shape
        (None, 4, 4, 12)

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
    """
    _check_taps(model, taps)
    plain = tf.keras.Model(model.inputs, model.outputs, name=model.name)
    features = [plain.get_layer(tap).output for tap in taps]
    fusion = InformationRecovery(
        features[-1].shape[-1], ratio=ratio, groups=groups, name=name, **options
    )
    branch = tf.keras.Model(
        plain.inputs, fusion(pooled_taps(features, name=name)), name=name
    )
    recovered = _redirected(plain, branch, source=taps[-1], target=name)
    with quantized_scope(False):
        for layer in plain.layers:
            recovered.get_layer(layer.name).set_weights(layer.get_weights())
    return recovered


def _redirected(
    model: tf.keras.Model, branch: tf.keras.Model, *, source: str, target: str
) -> tf.keras.Model:
    """A copy of a model with the layers of a branch, whose end replaces one output.

    # Arguments
        model: A functional model.
        branch: Leads from its inputs, by way of layers of it, to a new one.
        source: Name of the layer of `model` whose output is replaced.
        target: Name of the layer of `branch` that replaces it.
    """
    config, addition = model.get_config(), branch.get_config()
    names = {layer["name"] for layer in config["layers"]}
    own = {layer.name for layer in branch.layers} - {*names}
    if target in names:
        raise ValueError(
            f"Expected a `name` that no layer of {model.name!r} has, got {target!r}."
        )
    layers = [
        {**layer, "inbound_nodes": pointing(layer["inbound_nodes"], source, target)}
        for layer in config["layers"]
    ]
    layers += [layer for layer in addition["layers"] if layer["name"] in own]
    outputs = pointing(config["output_layers"], source, target)
    return tf.keras.Model.from_config(
        {**config, "layers": layers, "output_layers": outputs}
    )
