"""Whether a setting has the type that it is annotated with."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

__all__ = ["expected_type", "is_of_type"]

_TYPES: dict[Any, tuple[Any, str]] = {
    bool: (bool, "a bool"),
    int: (int, "an integer"),
    int | None: ((int, NoneType), "an integer or None"),
    float: ((int, float), "a number"),
    str: (str, "a name"),
    str | None: ((str, NoneType), "a name or None"),
    tuple[float, ...]: ((list, tuple), "a sequence of numbers"),
    Mapping[str, Any]: (Mapping, "a mapping"),
    Mapping[str, float | bool]: (Mapping, "a mapping to numbers and bools"),
}
_ELEMENTS: dict[Any, tuple[type, ...]] = {
    tuple[float, ...]: (float,),
    Mapping[str, float | bool]: (float, bool),
}


def expected_type(annotation: Any) -> str:
    """The type in words.

    # Example
        >>> expected_type(int | None)
        'an integer or None'
    """
    return _TYPES[annotation][1]


def is_of_type(value: Any, annotation: Any) -> bool:
    """Whether the value has the type; a bool is no number, a list may be a tuple.

    # Example
        >>> is_of_type(3, float), is_of_type(True, float), is_of_type(["3"], float)
        (True, False, False)
        >>> is_of_type([30, 60], tuple[float, ...])
        True
    """
    if isinstance(value, bool):
        return annotation is bool
    if not isinstance(value, _TYPES[annotation][0]):
        return False
    if annotation not in _ELEMENTS:
        return True
    elements = value.values() if isinstance(value, Mapping) else value
    kinds = _ELEMENTS[annotation]
    return all(any(is_of_type(one, kind) for kind in kinds) for one in elements)
