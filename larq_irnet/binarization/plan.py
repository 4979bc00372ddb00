"""Which layers of a model are binarized, and why the others are not."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from larq_irnet.binarization.layer_kinds import (
    COUNTERPARTS,
    elements_per_filter,
    is_quantized,
    is_weighted,
)
from larq_irnet.binarization.layer_roles import (
    downsampling_layers,
    first_layers,
    gate_layers,
    last_layers,
)
from larq_irnet.layer_graph import LayerGraph

__all__ = ["ROLES", "reasons_to_keep"]

ROLES = {
    "downsample": (downsampling_layers, "it is a 1x1 convolution on a shortcut"),
    "first": (first_layers, "it is a first layer"),
    "last": (last_layers, "it is a last layer"),
}


def _kept_by_wish(graph: LayerGraph, keep: Sequence[str]) -> dict[str, str]:
    """Why the layers that the caller keeps are kept, by name."""
    wishes = [keep] if isinstance(keep, str) else [*keep]
    weighted = [name for name in graph.names() if is_weighted(graph.layers[name])]
    unknown = [wish for wish in wishes if wish not in ROLES and wish not in weighted]
    if unknown:
        raise ValueError(
            f"Expected `keep` out of {sorted(ROLES)} and the names of layers with "
            f"weights, got {unknown}. {graph.name!r} has {weighted}."
        )
    kept: dict[str, str] = {}
    for wish in wishes:
        find, why = ROLES.get(wish, (None, "it is named"))
        for name in [wish] if find is None else sorted(find(graph)):
            kept.setdefault(name, f"{why} (keep={wish!r})")
    return kept


def _why_not(layer: tf.keras.layers.Layer, min_filter_size: int) -> str:
    """Why a layer cannot be binarized, told from itself; empty if it can."""
    kind = type(layer).__name__
    if is_quantized(layer):
        return "it is quantized already"
    if type(layer) not in COUNTERPARTS:
        return f"{kind} has no quantized counterpart here"
    if getattr(layer, "groups", 1) > 1:
        return f"it has {layer.groups} groups, which Larq Compute Engine does not run"
    if getattr(layer, "data_format", "") == "channels_first":
        return "it is channels_first, which Larq Compute Engine does not run"
    elements = elements_per_filter(layer)
    if elements < min_filter_size:
        return (
            f"its filters have {elements} weights, fewer than "
            f"min_filter_size={min_filter_size}"
        )
    return ""


def reasons_to_keep(
    graph: LayerGraph, *, keep: Sequence[str], min_filter_size: int
) -> Mapping[str, str]:
    """Why each layer with weights is left as it is; empty where it is binarized.

    # Arguments
        graph: Of the float model.
        keep: As for `larq_irnet.binarize`.
        min_filter_size: As for `larq_irnet.binarize`.

    # Raises
        ValueError: for an unknown `keep`, and if nothing is left to be binarized.
    """
    wished, gates = _kept_by_wish(graph, keep), gate_layers(graph)
    reasons: dict[str, str] = {}
    for name in graph.names():
        layer = graph.layers[name]
        if not is_weighted(layer):
            continue
        gate = "it computes a gate, from averages over all pixels"
        reasons[name] = (
            wished.get(name)
            or (gate if name in gates else "")
            or _why_not(layer, min_filter_size)
        )
    if all(reasons.values()):
        raise ValueError(
            f"Expected {graph.name!r} to have layers to binarize, got none: "
            f"{reasons or 'no layer has weights'}."
        )
    return reasons
