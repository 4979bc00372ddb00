"""What computes in float although the export is in int8."""

from collections.abc import Sequence

from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer

__all__ = ["float_between_int8"]

_MEANT = (  # what the ends of the model, and zero-padded binary convolutions, need
    "DEQUANTIZE",
    "LceBconv2d",
    "QUANTIZE",
)


def float_between_int8(flatbuffer: Flatbuffer, labels: Sequence[str]) -> list[Finding]:
    """A finding for each operator of an int8 model that gives floats.

    # Arguments
        flatbuffer: The converted model.
        labels: What to call each operator.
    """
    return [
        Finding(
            "slower",
            label,
            f"the converter left {operator.name} in float, between int8 operators.",
            "use layers that have an operator in int8, or do without int8.",
        )
        for operator, label in zip(flatbuffer.operators, labels)
        if operator.name not in _MEANT
        and any(tensor.dtype == "float32" for tensor in operator.outputs)
    ]
