"""What the binarization monitor measures: figures by layer and for a whole model."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from larq_irnet.diagnostics import (
    InputSnapshot,
    KernelReader,
    KernelSnapshot,
    LayerShare,
    ModelShare,
    binary_balance,
    binary_entropy,
    dead_weights,
    flipped_weights,
    quantization_error,
    stuck_weights,
    weight_entropy,
)

__all__ = [
    "BATCH_METRICS",
    "Figure",
    "METRICS",
    "WEIGHT_METRICS",
    "input_figures",
    "weight_figures",
    "weight_gradient_figure",
]

WEIGHT_METRICS = (
    *("dead_share", "flip_ratio", "quantization_error", "stuck_share"),
    *("weight_entropy", "weight_gradient_share"),
)
BATCH_METRICS = (
    *("activation_balance", "activation_entropy", "activation_gradient_share"),
    "gradient_cosine",
)
METRICS = tuple(sorted((*WEIGHT_METRICS, *BATCH_METRICS)))


class Figure(NamedTuple):
    """One metric at one moment.

    # Attributes
        total: For the whole model.
        layers: By the name of the layer; empty for what is measured as a whole.
    """

    total: float
    layers: Mapping[str, float] = {}


def _of_elements(share: ModelShare) -> Figure:
    """Over single weights or inputs; in the whole model each of them counts alike."""
    return Figure(share.total, {layer.layer: layer.share for layer in share.layers})


def _mean(values: Mapping[str, np.ndarray]) -> Figure:
    """Over filters or channels; in the whole model each of them counts alike."""
    return Figure(
        float(np.mean(np.concatenate([one.ravel() for one in values.values()]))),
        {layer: float(np.mean(one)) for layer, one in values.items()},
    )


def weight_figures(
    metrics: Iterable[str],
    before: Sequence[KernelSnapshot],
    after: Sequence[KernelSnapshot],
    *,
    tau: float,
    threshold: float,
) -> dict[str, Figure]:
    """Those of the metrics that follow from the weights of two moments.

    # Arguments
        metrics: Names out of `METRICS`; others than these are left out.
        before: The weights at the beginning of an epoch.
        after: The weights at its end.
        tau: As for `larq_irnet.diagnostics.dead_weights`.
        threshold: As for `larq_irnet.diagnostics.stuck_weights`.
    """
    measures: dict[str, Callable[[], Figure]] = {
        "dead_share": lambda: _of_elements(dead_weights(after, tau=tau)),
        "stuck_share": lambda: _of_elements(
            stuck_weights(before, after, threshold=threshold)
        ),
        "flip_ratio": lambda: _of_elements(flipped_weights(before, after)),
        "weight_entropy": lambda: _mean(
            {
                one.name: weight_entropy(one.signs, filter_axes=one.filter_axes)
                for one in after
            }
        ),
        "quantization_error": lambda: _mean(
            {
                one.name: quantization_error(
                    one.latent,
                    one.signs,
                    filter_axes=one.filter_axes,
                    centered=one.centered,
                )
                for one in after
            }
        ),
    }
    return {name: measures[name]() for name in metrics if name in measures}


def weight_gradient_figure(reader: KernelReader, *, probes: int, seed: int) -> Figure:
    """The share of all weights that get gradient at this moment.

    # Arguments
        reader: Of the binary kernels.
        probes: As for `larq_irnet.diagnostics.surrogate_share`.
        seed: Sets which weights are looked at.
    """
    shares = reader.surrogate_shares(probes=probes, seed=seed)
    layers = (
        LayerShare(kernel.name, kernel.variable.shape.num_elements(), share)
        for kernel, share in zip(reader.kernels, shares, strict=True)
    )
    return _of_elements(ModelShare(tuple(layers)))


def input_figures(
    metrics: Collection[str], inputs: Sequence[InputSnapshot]
) -> dict[str, Figure]:
    """Those of the metrics that follow from the binary activations of a batch.

    # Arguments
        metrics: Names out of `METRICS`; others than these are left out.
        inputs: From `larq_irnet.diagnostics.BinaryInputs`.
    """
    values = {
        "activation_balance": binary_balance,
        "activation_entropy": binary_entropy,
    }
    figures = {
        name: _mean({one.name: values[name](one.positive) for one in inputs})
        for name in metrics
        if name in values
    }
    if "activation_gradient_share" in metrics:
        shares = (
            LayerShare(one.name, one.values, one.surrogate_share) for one in inputs
        )
        figures["activation_gradient_share"] = _of_elements(ModelShare(tuple(shares)))
    return figures
