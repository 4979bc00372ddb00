"""What runs keep of their binary weights over the epochs."""

import csv

import numpy as np
import pytest

from larq_irnet.diagnostics import dead_weights, snapshot
from larq_irnet.quantizers import recu_schedule
from tests.zoo.runs import run
from tests.zoo.small_network import small_config
from zoo.workdir import Workdir, WorkdirError


@pytest.fixture(scope="module", params=["ste_sign", "recu"])
def monitored_run(request, tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp(request.param)
    run(small_config(method=request.param), path)
    return Workdir(path)


def test_columns(monitored_run):
    rows = list(csv.DictReader(monitored_run.metrics_path.read_text().splitlines()))
    assert len(rows) == 3
    for row in rows:
        assert 0 <= float(row["dead_share"]) <= 1
        assert 0 <= float(row["stuck_share"]) <= 1


def test_the_last_row_is_of_the_saved_model(monitored_run):
    share = dead_weights(snapshot(monitored_run.model())).total
    assert monitored_run.history()[-1]["dead_share"] == share


def test_histograms_of_all_weights_with_the_quantile_of_the_epoch(monitored_run):
    histograms = monitored_run.histograms()
    kernel = monitored_run.model().get_layer("binary").kernel
    size = np.prod(kernel.shape)
    assert [one.epoch for one in histograms] == [0, 1, 2]
    assert [sum(one.counts) + one.beyond for one in histograms] == [size] * 3
    is_scheduled = monitored_run.config().method == "recu"
    taus = [float(recu_schedule(e / 3)) if is_scheduled else 0.99 for e in range(3)]
    # progress and schedule are float32
    assert [one.tau for one in histograms] == pytest.approx(taus, rel=1e-6)


def test_tensorboard_has_the_shares(monitored_run):
    events = monitored_run.tensorboard_path.rglob("train/events.out.tfevents.*")
    content = b"".join(path.read_bytes() for path in events)
    assert content.count(b"epoch_dead_share") == 3
    assert content.count(b"epoch_stuck_share") == 3


def test_histograms_of_something_else_end_the_training(use_small_network, tmp_path):
    Workdir(tmp_path).create(small_config())
    (tmp_path / "weight_histograms.json").write_text("garbage")
    with pytest.raises(
        ValueError, match=r"in .*weight_histograms\.json, got .* Remove"
    ):
        run(small_config(), tmp_path)


def test_a_folder_in_place_of_the_histograms(use_small_network, tmp_path):
    Workdir(tmp_path).create(small_config())
    (tmp_path / "weight_histograms.json").mkdir()
    with pytest.raises(WorkdirError, match=r"Cannot write .*weight_histograms\.json: "):
        run(small_config(), tmp_path)
