"""What an export is measured against: the same network without binary layers.

Their weights are initial ones: only size and speed count.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tflite_export.calibration import Calibration
from tflite_export.conversion import convert
from tflite_export.fake_quantization import with_fake_quantization
from tflite_export.findings import ExportError
from tflite_export.float_twin import float_twin
from tflite_export.int8_rewrites import without_float_operators

__all__ = ["FLOAT_TWIN", "INT8_TWIN", "convert_twins"]

FLOAT_TWIN = "float twin, XNNPACK"
INT8_TWIN = "int8 twin, XNNPACK"


def convert_twins(
    model: tf.keras.Model,
    ranges_from: Sequence[np.ndarray] | None = None,
    calibration: Calibration = Calibration(),
    *,
    timeout: float = 600.0,
    memory_limit: int | None = None,
) -> dict[str, bytes]:
    """Converts the network with float weights, and on demand with int8 ones.

    # Arguments
        model: The model that is exported, in float32, not rewritten.
        ranges_from: Inputs to measure ranges of int8 activations on, one array [N, ...]
            for each input; `None` for no int8 twin.
        calibration: How they are measured.
        timeout: Seconds that each conversion may take.
        memory_limit: Bytes that each conversion may have.

    # Returns
        The flatbuffers by name: `FLOAT_TWIN` by TensorFlow Lite's converter,
        `INT8_TWIN` by Larq Compute Engine's.

    # Raises
        ExportError: if one cannot be converted.
    """
    limits: dict[str, Any] = {"timeout": timeout, "memory_limit": memory_limit}
    try:
        twin = float_twin(model)
        twins = {FLOAT_TWIN: convert(twin, converter="tflite", **limits)}
        if ranges_from is not None:
            quantized = with_fake_quantization(
                without_float_operators(twin), ranges_from, calibration
            )
            twins[INT8_TWIN] = convert(quantized, **limits)
    except ExportError as error:
        raise ExportError(
            f"Cannot convert the twins of '{model.name}' to measure against; "
            "benchmark=False leaves them out",
            error.findings,
        ) from error
    return twins
