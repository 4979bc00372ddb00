import numpy as np
import pytest

from larq_irnet.callbacks import FigureFile
from larq_irnet.callbacks.monitor_figures import Figure
from zoo.comparison.curves import Curve, diagnostic_curves, validation_curve
from zoo.workdir import Workdir
from zoo.workdir_error import WorkdirError


@pytest.fixture
def runs(tmp_path):
    """Two runs of two epochs, the first with one more."""
    folders = [Workdir(tmp_path / name) for name in "ab"]
    for position, run in enumerate(folders):
        run.path.mkdir()
        for epoch in range(3 - position):
            run.append_metrics(
                epoch,
                {
                    **{name: 0.0 for name in ("accuracy", "loss", "val_loss")},
                    "val_accuracy": 0.1 * epoch + 0.2 * position,
                },
            )
            figures = {"flip_ratio": Figure(epoch + position, {"conv": 9.0})}
            if epoch == 0:
                figures["weight_entropy"] = Figure(0.5)
            FigureFile(run.diagnostics_path).append(epoch, figures)
    return folders


def test_mean_and_deviation_over_the_runs(runs):
    curve = validation_curve(runs)
    assert curve is not None
    np.testing.assert_array_equal(curve.epochs, [1, 2])
    np.testing.assert_allclose(curve.mean, [0.1, 0.2])
    np.testing.assert_allclose(curve.deviation, [0.02**0.5] * 2)


def test_a_single_run_has_no_deviation(runs):
    curve = validation_curve(runs[:1])
    assert curve is not None
    np.testing.assert_allclose(curve.mean, [0.0, 0.1, 0.2])
    np.testing.assert_array_equal(curve.deviation, [0.0] * 3)


def test_diagnostics_are_those_of_whole_networks(runs):
    curves = diagnostic_curves(runs)
    assert sorted(curves) == ["flip_ratio", "weight_entropy"]
    np.testing.assert_allclose(curves["flip_ratio"].mean, [0.5, 1.5])
    np.testing.assert_array_equal(curves["weight_entropy"].epochs, [1])


def test_runs_without_diagnostics(runs):
    for run in runs:
        run.diagnostics_path.unlink()
    assert diagnostic_curves(runs) == {}


def test_runs_without_epochs(tmp_path):
    assert validation_curve([Workdir(tmp_path)]) is None


def test_damaged_figures(runs):
    runs[0].diagnostics_path.write_text("nothing,of,the,kind\n")
    with pytest.raises(WorkdirError, match="Expected figures of binary layers in"):
        diagnostic_curves(runs)


def test_the_last_epoch():
    curve = Curve(np.array([1, 8]), np.array([0.5, 0.25]), np.array([0.1, np.nan]))
    assert curve.last() == {"epoch": 8, "mean": 0.25, "deviation": None}
