"""Deep networks of `keras.applications`, binarized, trained, exported, verified."""

import pytest

from tests.conformance.binarized_applications import DEEP, assert_runs_binary


@pytest.mark.parametrize("name", DEEP)
def test_application(name, tmp_path):
    assert_runs_binary(name, tmp_path / "model.tflite")
