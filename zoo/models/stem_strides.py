"""Strides of the first convolution where a network serves large and small images."""

__all__ = ["check_stem_strides"]


def check_stem_strides(stem_strides: int) -> None:
    """Raises a `ValueError` unless `stem_strides` is 1 or 2."""
    if stem_strides not in (1, 2):
        raise ValueError(f"Expected `stem_strides` to be 1 or 2, got {stem_strides!r}.")
