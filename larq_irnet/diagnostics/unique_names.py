"""Names that tell the layers of models within a model apart."""

from collections.abc import Sequence

__all__ = ["unique_names"]


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that there are already.

    Keras has two layers of one name only in different models within a model.

    # Example
        >>> unique_names(["conv", "dense", "conv", "conv_1", "conv"])
        ['conv', 'dense', 'conv_2', 'conv_1', 'conv_3']
    """
    given, found = set(names), []
    seen: set[str] = set()
    for name in names:
        free, number = name, 0
        while free in seen or (number and free in given):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        found.append(free)
    return found
