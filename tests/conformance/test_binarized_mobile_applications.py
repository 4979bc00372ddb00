"""Mobile networks of `keras.applications`, binarized, trained, exported, verified."""

import pytest

from tests.conformance.binarized_applications import MOBILE, assert_runs_binary


@pytest.mark.parametrize("name", MOBILE)
def test_application(name, tmp_path):
    assert_runs_binary(name, tmp_path / "model.tflite")
