"""The JSON Schema of report.json: `python -m tflite_export.report_schema`.

Types come from the dataclasses that a report is made of, descriptions from their
docstrings, so that the three cannot say different things.
"""

import dataclasses
import inspect
import json
import re
import types
import typing
from typing import Any

from tflite_export.report import Report

__all__ = ["report_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: dict[Any, Any] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": ["number", "null"]},  # null if it is not finite
    type(None): {"type": "null"},
}


def report_schema() -> dict[str, Any]:
    """The schema of `Report.to_json`, draft 2020-12."""
    definitions: dict[str, Any] = {}
    schema = _of_dataclass(Report, definitions)
    return {
        "$schema": _DIALECT,
        "title": "Export report of larq-irnet",
        **schema,
        "$defs": definitions,
    }


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


def _of_type(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if hint in _TYPES:
        return dict(_TYPES[hint])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if hint.__name__ not in definitions:
            definitions[hint.__name__] = _of_dataclass(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and arguments[1:] == (...,):
        return {"type": "array", "items": _of_type(arguments[0], definitions)}
    if origin is dict and arguments[0] is str:
        values = _of_type(arguments[1], definitions)
        return {"type": "object", "additionalProperties": values}
    if origin in (types.UnionType, typing.Union):
        return {"anyOf": [_of_type(one, definitions) for one in arguments]}
    raise TypeError(f"Expected a type that JSON has, got {hint!r} in the report.")


def _summary(kind: type[Any]) -> str:
    summary, *_ = inspect.getdoc(kind).split("\n\n")  # type: ignore[union-attr]
    return " ".join(summary.split())


def _attributes(kind: type[Any]) -> dict[str, str]:
    """What the docstring of a dataclass says about its attributes, by name."""
    documentation = inspect.getdoc(kind) or ""
    _, _, section = re.split(r"^# (Attributes|Arguments)$", documentation, 1, re.M)
    section, *_ = re.split(r"^# ", section, 1, re.M)
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w+: |\Z)", section, re.M | re.S)
    return {name: " ".join(text.split()) for name, text in entries}


if __name__ == "__main__":
    print(json.dumps(report_schema(), indent=2))
