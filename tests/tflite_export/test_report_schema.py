"""report.json is what docs/report.schema.json says."""

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

import tflite_export
from tflite_export.report_schema import report_schema

SCHEMA = Path(__file__).parents[2] / "docs" / "report.schema.json"


@pytest.fixture(scope="module")
def schema():
    return json.loads(SCHEMA.read_text())


def test_the_schema_is_up_to_date(schema):
    command = "python -m tflite_export.report_schema > docs/report.schema.json"
    assert schema == report_schema(), f"run {command}"


def test_the_schema_is_one(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


def test_reports_fit(schema, exported_residual):
    report = json.loads(exported_residual.report.to_json())
    jsonschema.validate(report, schema)
    del report["latencies"][0]["runs"]
    with pytest.raises(jsonschema.ValidationError, match="'runs' is a required"):
        jsonschema.validate(report, schema)


def test_numbers_that_are_not_finite_fit(schema, exported_residual):
    part = dataclasses.replace(
        exported_residual.report.verification.parts[0], error=float("inf")
    )
    verification = dataclasses.replace(
        exported_residual.report.verification, parts=(part,)
    )
    report = dataclasses.replace(exported_residual.report, verification=verification)
    jsonschema.validate(json.loads(report.to_json()), schema)


def test_every_property_is_described(schema):
    kinds = [schema, *schema["$defs"].values()]
    assert {kind["type"] for kind in kinds} == {"object"}
    for kind in kinds:
        assert all(value["description"] for value in kind["properties"].values())
    assert set(schema["properties"]) == {
        field.name for field in dataclasses.fields(tflite_export.Report)
    }
