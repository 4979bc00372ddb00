"""Mobile networks of `keras.applications`, binarized, trained, exported, verified."""

import pytest

from tests.conformance.binarized_applications import assert_runs_binary


@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNet", "MobileNetV2"])
def test_application(name, tmp_path):
    assert_runs_binary(name, tmp_path / "model.tflite")
