import pytest

from tflite_export.interpreting import FAST_KERNEL, KERNELS
from tflite_export.operator_profiling import measure_operators


def test_every_operator_has_its_time(converted_residual):
    labels = [str(number) for number in range(len(converted_residual.operators))]
    measured = measure_operators(
        converted_residual, labels, rounds=3, **KERNELS[FAST_KERNEL]
    )
    assert [one.name for one in measured] == labels
    kinds = [operator.name for operator in converted_residual.operators]
    assert [one.kind for one in measured] == kinds
    assert all(0.0 <= one.milliseconds < 100.0 for one in measured)
    convolutions = [one for one in measured if one.kind == "LceBconv2d"]
    assert all(one.milliseconds > 0.0 for one in convolutions)


@pytest.mark.parametrize("arguments", [{"rounds": 0}, {"threads": 0}])
def test_nothing_to_measure(converted_residual, arguments):
    with pytest.raises(ValueError, match="at least one round and thread"):
        measure_operators(converted_residual, [], **arguments)
