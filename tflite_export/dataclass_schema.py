"""The JSON Schema of a report that is a dataclass.

Types come from the dataclasses that a report is made of, descriptions from their
docstrings, so that the three cannot say different things.
"""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["dataclass_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[Any, Any] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"]},  # null if it is not finite
    type(None): {"type": "null"},
}


def dataclass_schema(
    kind: type[Any], title: str, *, computed: Sequence[str] = ()
) -> dict[str, Any]:
    """The schema of what `report_json` makes of a dataclass, draft 2020-12.

    # Arguments
        kind: The dataclass.
        title: Of the schema.
        computed: Its properties that are written as well.

    # Raises
        TypeError: for a type that JSON does not have.
    """
    definitions: dict[str, Any] = {}
    schema = _of_dataclass(kind, definitions)
    described = {name: _of_property(kind, name, definitions) for name in computed}
    schema["properties"] = described | schema["properties"]
    schema["required"] = [*computed, *schema["required"]]
    return {"$schema": _DIALECT, "title": title, **schema, "$defs": definitions}


def _of_dataclass(kind: type[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    described = _attributes(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    return {
        "type": "object",
        "description": _summary(kind),
        "properties": {
            name: {
                **_of_type(hints[name], definitions),
                "description": described[name],
            }
            for name in names
        },
        "required": names,
        "additionalProperties": False,
    }


def _of_property(
    kind: type[Any], name: str, definitions: dict[str, Any]
) -> dict[str, Any]:
    getter = getattr(kind, name).fget
    hint = typing.get_type_hints(getter)["return"]
    return {**_of_type(hint, definitions), "description": _summary(getter)}


def _of_type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _TYPES:
        return dict(_TYPES[hint])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = _of_dataclass(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return _of_tuple(arguments, definitions)
    if origin in (dict, Mapping) and arguments[0] is str:
        values = _of_type(arguments[1], definitions)
        return {"type": "object", "additionalProperties": values}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of_type(one, definitions) for one in arguments]}
    raise TypeError(f"Expected a type that JSON has, got {hint!r} in the report.")


def _of_tuple(arguments: Sequence[Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if arguments[1:] == (...,):
        return {"type": "array", "items": _of_type(arguments[0], definitions)}
    items = [_of_type(one, definitions) for one in arguments]
    return {
        "type": "array",
        "prefixItems": items,
        "items": False,
        "minItems": len(items),
    }


def _summary(described: Any) -> str:
    summary, *_ = inspect.getdoc(described).split("\n\n")  # type: ignore[union-attr]
    return " ".join(summary.split())


def _attributes(kind: type[Any]) -> dict[str, str]:
    """What the docstring of a dataclass says about its attributes, by name."""
    documentation = inspect.getdoc(kind) or ""
    _, _, section = re.split(r"^# (Attributes|Arguments)$", documentation, 1, re.M)
    section, *_ = re.split(r"^# ", section, 1, re.M)
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section, re.M | re.S)
    return {name: " ".join(text.split()) for name, text in entries}
