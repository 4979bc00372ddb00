"""What `binarize` did with each layer of a model, and why."""

from dataclasses import dataclass

__all__ = ["BinarizationReport", "LayerDecision"]


@dataclass(frozen=True)
class LayerDecision:
    """What became of a layer with weights.

    # Attributes
        layer: Its name.
        kind: Its class in the float model.
        binarized: Whether it is quantized now.
        reason: Why it was left as it is; empty if it was binarized.
        kernel_elements: Number of its weights, without biases.
        added: Names of the layers that were put in behind it.
    """

    layer: str
    kind: str
    binarized: bool
    reason: str
    kernel_elements: int
    added: tuple[str, ...] = ()


@dataclass(frozen=True)
class BinarizationReport:
    """What became of all layers with weights, in the order of the model.

    # Attributes
        method: Name of the method.
        decisions: Of each layer with weights.
        replaced_activations: Names of the non-linearities of the ReLU family that
            became the method's.
        binary_convolutions: How many `LceBconv2d` an export of the model has: one for
            each convolution and dense layer whose weights and inputs are binary.
    """

    method: str
    decisions: tuple[LayerDecision, ...]
    replaced_activations: tuple[str, ...]
    binary_convolutions: int

    @property
    def binarized(self) -> list[str]:
        """Names of the layers that are quantized now."""
        return [one.layer for one in self.decisions if one.binarized]

    @property
    def kept(self) -> dict[str, str]:
        """Why each of the others was left as it is, by name."""
        return {one.layer: one.reason for one in self.decisions if not one.binarized}

    @property
    def binary_share(self) -> float:
        """The share of the weights of kernels that is binary, in [0, 1]."""
        total = sum(one.kernel_elements for one in self.decisions)
        binary = sum(one.kernel_elements for one in self.decisions if one.binarized)
        return binary / total

    def __str__(self) -> str:
        width = max(len(one.layer) for one in self.decisions)
        rows = [
            f"{one.layer:{width}}  {one.kernel_elements:>11,}  "
            + (_binarized(one) if one.binarized else f"float: {one.reason}")
            for one in self.decisions
        ]
        summary = (
            f"{self.method}: {len(self.binarized)} of {len(self.decisions)} layers "
            f"binary, {self.binary_share:.1%} of the weights; "
            f"{len(self.replaced_activations)} activations replaced; "
            f"{self.binary_convolutions} LceBconv2d expected"
        )
        return "\n".join([summary, *rows])


def _binarized(decision: LayerDecision) -> str:
    added = f", with {', '.join(decision.added)}" if decision.added else ""
    return f"binary{added}"
