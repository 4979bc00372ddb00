"""What the operators of a model take, on whatever device they were measured."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["KindLatency", "OperatorLatency", "by_kind"]


@dataclass(frozen=True)
class OperatorLatency:
    """How long one operator takes for one image.

    # Attributes
        kind: "CONV_2D", "LceBconv2d", ...
        name: Of the layer or tensor that it computes.
        milliseconds: For one run.
    """

    kind: str
    name: str
    milliseconds: float


@dataclass(frozen=True)
class KindLatency:
    """How long all operators of one kind take together.

    # Attributes
        kind: "CONV_2D", "LceBconv2d", ...
        count: How many there are.
        milliseconds: For one run of the model.
        share: Of the time of all operators, in [0, 1].
    """

    kind: str
    count: int
    milliseconds: float
    share: float


def by_kind(latencies: Iterable[OperatorLatency]) -> list[KindLatency]:
    """Sums up operators of the same kind, the slowest kind first."""
    times = defaultdict(list)
    for one in latencies:
        times[one.kind].append(one.milliseconds)
    total = sum(sum(each) for each in times.values())
    summed = [
        KindLatency(kind, len(each), sum(each), sum(each) / total if total else 0.0)
        for kind, each in times.items()
    ]
    return sorted(summed, key=lambda one: (-one.milliseconds, one.kind))
