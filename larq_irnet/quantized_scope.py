"""Larq's quantized scope, left again when something is raised inside it.

`larq.context.quantized_scope` stays on after an exception, and from then on every model
saves its binary weights in place of the latent ones, without a word.
"""

import contextlib
from collections.abc import Iterator

import larq as lq

__all__ = ["quantized_scope"]


@contextlib.contextmanager
def quantized_scope(quantize: bool) -> Iterator[None]:
    """Decides whether quantized variables give binary (True) or latent values.

    # Arguments
        quantize: What holds inside; what held before holds again afterwards.

    # Example
        >>> with quantized_scope(True):
        ...     lq.context.should_quantize()
        True
        >>> lq.context.should_quantize()
        False
    """
    before = lq.context.should_quantize()
    lq.context.quantized_scope(quantize).__enter__()
    try:
        yield
    finally:
        lq.context.quantized_scope(before).__enter__()
