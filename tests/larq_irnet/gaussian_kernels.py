"""Random kernels of all kinds for hypothesis, with the axes of their filters."""

import math

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from tests.larq_irnet import oracle

FILTER_AXES = {  # by rank and kind of kernel
    "dense": (2, (-1,)),
    "conv1d": (3, (-1,)),
    "conv2d": (4, (-1,)),
    "depthwise": (4, (-2, -1)),
    "transposed": (4, (-2,)),
}

seeds = st.integers(0, 2**32 - 1)


@st.composite
def gaussian_kernels(draw, dtype="float64", min_elements=2):
    """A kernel of a random shape, its filter axes and the axes that are reduced."""
    rank, filter_axes = FILTER_AXES[draw(st.sampled_from(sorted(FILTER_AXES)))]
    shape = tuple(draw(st.lists(st.integers(1, 5), min_size=rank, max_size=rank)))
    axes = oracle.reduced_axes(rank, filter_axes)
    assume(math.prod(shape[axis] for axis in axes) >= min_elements)
    rng = np.random.default_rng(draw(seeds))
    w = rng.normal(rng.uniform(-1, 1), 10 ** rng.uniform(-2, 1), shape).astype(dtype)
    return w, filter_axes, axes
