"""A genotype of DARTS: which operations connect the nodes of its cells."""

from dataclasses import dataclass

__all__ = ["DARTS_V2", "Edge", "Genotype"]


@dataclass(frozen=True)
class Edge:
    """An operation on one state of a cell.

    # Attributes
        operation: Its name in the paper.
        source: The state that it reads: 0 and 1 are the outputs of the cell before the
            last and of the last one, the nodes follow.
    """

    operation: str
    source: int


@dataclass(frozen=True, kw_only=True)
class Genotype:
    """Two cells. Each node is the sum of two edges; all nodes are concatenated.

    # Attributes
        normal: The edges of a cell that keeps the size, two for each node.
        reduction: Those of a cell that halves it.
    """

    normal: tuple[Edge, ...]
    reduction: tuple[Edge, ...]


# found by second-order search, Figures 4 and 5 of the paper
DARTS_V2 = Genotype(
    normal=(
        *(Edge("sep_conv_3x3", 0), Edge("sep_conv_3x3", 1)),
        *(Edge("sep_conv_3x3", 0), Edge("sep_conv_3x3", 1)),
        *(Edge("sep_conv_3x3", 1), Edge("skip_connect", 0)),
        *(Edge("skip_connect", 0), Edge("dil_conv_3x3", 2)),
    ),
    reduction=(
        *(Edge("max_pool_3x3", 0), Edge("max_pool_3x3", 1)),
        *(Edge("skip_connect", 2), Edge("max_pool_3x3", 1)),
        *(Edge("max_pool_3x3", 0), Edge("skip_connect", 2)),
        *(Edge("skip_connect", 2), Edge("max_pool_3x3", 1)),
    ),
)
