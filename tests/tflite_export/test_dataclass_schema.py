"""Dataclasses become JSON Schemas that their JSON fits."""

import dataclasses
import json
from collections.abc import Mapping

import jsonschema
import pytest

from tflite_export.dataclass_schema import dataclass_schema
from tflite_export.report_json import report_json


@dataclasses.dataclass(frozen=True)
class Part:
    """A part.

    # Attributes
        size: Height and width.
    """

    size: tuple[int, int] | None


@dataclasses.dataclass(frozen=True)
class Whole:
    """All of it.

    # Attributes
        parts: By name,
            in order.
        times: In ms.
    """

    parts: Mapping[str, tuple[Part, ...]]
    times: tuple[float, ...]

    @property
    def count(self) -> int:
        """How many times there are."""
        return len(self.times)


WHOLE = Whole({"a": (Part((1, 2)), Part(None))}, (0.5, float("nan")))


def test_its_json_fits():
    schema = dataclass_schema(Whole, "Whole", computed=["count"])
    jsonschema.Draft202012Validator.check_schema(schema)
    content = json.loads(report_json(WHOLE, computed=["count"]))
    assert (content["count"], content["times"]) == (2, [0.5, None])
    jsonschema.validate(content, schema)
    assert list(content) == list(schema["properties"]) == schema["required"]
    assert schema["properties"]["count"]["description"] == "How many times there are."
    assert schema["properties"]["parts"]["description"] == "By name, in order."


@pytest.mark.parametrize("size", [[1], [1, 2, 3], [1, "2"], "12"])
def test_a_pair_has_two_numbers(size):
    schema = dataclass_schema(Whole, "Whole")
    content = json.loads(report_json(WHOLE))
    content["parts"]["a"][0]["size"] = size
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema)


def test_what_json_does_not_have():
    kind = dataclasses.make_dataclass("Kind", [("names", set[str])])
    kind.__doc__ = "A kind.\n\n# Attributes\n    names: Some."
    with pytest.raises(TypeError, match=r"a type that JSON has, got set\[str\]"):
        dataclass_schema(kind, "Kind")
