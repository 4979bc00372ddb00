"""What became of each layer of a model, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf

from larq_irnet.graph_config import flat_config
from tflite_export.binary_layers import BinaryLayer
from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.layer_walk import all_layers
from tflite_export.operator_labels import operator_layers
from tflite_export.rewrites import Rewrite

__all__ = ["LayerOutcome", "layer_outcomes"]


_FOLDED = "no operator of its own: its neighbours compute it as well"


@dataclass(frozen=True)
class LayerOutcome:
    """One layer of the Keras model that was given.

    # Attributes
        layer: Its name, behind that of the model within the model if two are equal.
        kind: Its class.
        operators: Kinds of operators that bear its name, alone or with those of others.
        reasons: What was rewritten, lost or gained.
    """

    layer: str
    kind: str
    operators: tuple[str, ...]
    reasons: tuple[str, ...]


def layer_outcomes(
    model: tf.keras.Model,
    flatbuffer: Flatbuffer,
    *,
    converted: tf.keras.Model | None = None,
    binary_layers: Sequence[BinaryLayer] = (),
    rewrites: Sequence[Rewrite] = (),
    findings: Sequence[Finding] = (),
) -> list[LayerOutcome]:
    """Follows the layers of a model into the operators of its flatbuffer.

    # Arguments
        model: The Keras model that was given for export.
        flatbuffer: What became of it, with the names that the converter gave.
        converted: The model that was converted, if that is another one.
        binary_layers: Which binary layers became binary convolutions.
        rewrites: What was changed before the conversion.
        findings: What else is known.
    """
    computed: dict[str, list[str]] = {}
    borne = operator_layers(converted or model, flatbuffer)
    for operator, names in zip(flatbuffer.operators, borne):
        for name in names:
            computed.setdefault(name, []).append(operator.name)
    outcomes = []
    for name, layer in _named_layers(model):
        operators = tuple(dict.fromkeys(computed.get(name, ())))
        reasons = [one.reason for one in rewrites if one.layer == name]
        if not (operators or reasons or isinstance(layer, tf.keras.layers.InputLayer)):
            reasons.append(_FOLDED)
        reasons += _bits(name, binary_layers)
        reasons += [one.reason for one in findings if one.layer == name]
        kind = type(layer).__name__
        outcomes.append(LayerOutcome(name, kind, operators, tuple(reasons)))
    return outcomes


def _named_layers(
    model: tf.keras.Model,
) -> Iterator[tuple[str, tf.keras.layers.Layer]]:
    """The layers, those of models within the model by their names once rewritten."""
    for name, layer in flat_config(model)[1].items():
        if isinstance(layer, tf.keras.Model):  # called several times
            yield from ((inner.name, inner) for inner in all_layers(layer))
        else:
            yield name, layer


def _bits(layer: str, binary_layers: Sequence[BinaryLayer]) -> Iterator[str]:
    for one in binary_layers:
        if one.layer == layer and one.operator:
            written = "bits" if one.writes_bits else "numbers"
            yield f"computed on bits, writes {written}"
