import io
import json

import pytest
import rich.console

from tests.zoo.small_network import small_config
from zoo.pool_progress import PoolProgress
from zoo.run_pool import PooledRun

EPOCHS = 4


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def console():
    return rich.console.Console(file=io.StringIO(), width=200)


@pytest.fixture
def progress(clock, console):
    return PoolProgress("lines", console=console, clock=clock)


def lines(console):
    return console.file.getvalue().splitlines()


def make_run(folder, method="irnet"):
    return PooledRun(
        name=method, config=small_config(epochs=EPOCHS, method=method), folder=folder
    )


def finish_epochs(run, number):
    run.folder.mkdir(parents=True, exist_ok=True)
    header = "epoch,accuracy,loss,val_accuracy,val_loss\n"
    rows = "".join(f"{epoch},0,0,0,0\n" for epoch in range(number))
    run.workdir.metrics_path.write_text(header + rows)


def complete(run, accuracy):
    finish_epochs(run, EPOCHS)
    results = {split: {"accuracy": accuracy} for split in ("validation", "test")}
    (run.folder / "results.json").write_text(json.dumps(results))


def test_lines_where_there_is_no_terminal(progress, clock, console, tmp_path):
    one, other = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    with progress.of([one, other], parallel=1):
        progress.started(one)
        clock.now += 40
        complete(one, 0.75)
        progress.finished(one)
        progress.started(other)
        clock.now += 61
        progress.update()
        progress.failed(other, "The loss became nan.")
    assert lines(console) == [
        "irnet: 75.00% of the validation images, 0:00:40; 1 of 2 runs, 0:00:40 left",
        "going on; 1 of 2 runs, 0:00:40 left",
        "irnet: failed. The loss became nan., 0:01:01; 2 of 2 runs, 0:00:00 left",
    ]


def test_nothing_is_known_before_the_first_epoch(progress, clock, tmp_path):
    run = make_run(tmp_path)
    with progress.of([run], parallel=1):
        progress.started(run)
        clock.now += 10
        progress.update()
        assert progress.seconds_left() is None


@pytest.mark.parametrize("parallel, seconds", [(1, 100), (2, 50)])
def test_time_left(parallel, seconds, progress, clock, tmp_path):
    # 10 s for an epoch of irnet and 5 s for one of recu: 30 + 10 + 40 + 20
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b", "recu")
    waiting = make_run(tmp_path / "c"), make_run(tmp_path / "d", "recu")
    with progress.of([first, second, *waiting], parallel=parallel):
        progress.started(first)
        progress.started(second)
        clock.now += 10
        finish_epochs(first, 1)
        finish_epochs(second, 2)
        progress.update()
        assert progress.seconds_left() == seconds


def test_earlier_sessions_do_not_make_it_faster(progress, clock, tmp_path):
    run = make_run(tmp_path)
    finish_epochs(run, 2)
    with progress.of([run], parallel=1):
        progress.started(run)
        clock.now += 10
        finish_epochs(run, 3)
        progress.update()
        assert progress.seconds_left() == 10.0


def test_the_longest_run_is_waited_for(progress, clock, tmp_path):
    run = make_run(tmp_path)
    with progress.of([run], parallel=8):
        progress.started(run)
        clock.now += 10
        finish_epochs(run, 1)
        progress.update()
        assert progress.seconds_left() == 30.0


def test_bars_on_a_terminal(clock, tmp_path):
    written = io.StringIO()
    console = rich.console.Console(
        file=written, width=120, force_terminal=True, color_system=None
    )
    progress = PoolProgress("bar", console=console, clock=clock)
    run, other = make_run(tmp_path / "a"), make_run(tmp_path / "b", "recu")
    complete(other, 0.5)
    with progress.of([run, other], parallel=1):
        progress.started(run)
        clock.now += 10
        finish_epochs(run, 1)
        progress.update()
        progress._bar.refresh()
        assert "1 of 2 runs, 0:00:30 left" in written.getvalue()
        assert "5/8 epochs" in written.getvalue()
        assert "1/4 epochs" in written.getvalue()
        complete(run, 0.25)
        progress.finished(run)
    assert "irnet: 25.00% of the validation images, 0:00:10" in written.getvalue()


def test_none_is_silent(clock, console, tmp_path):
    progress = PoolProgress("none", console=console, clock=clock)
    run = make_run(tmp_path)
    with progress.of([run], parallel=1):
        progress.started(run)
        clock.now += 100
        progress.update()
        progress.failed(run, "why")
    assert lines(console) == []


def test_an_unknown_style():
    with pytest.raises(ValueError, match="one of .*'lines'.*, got 'loud'"):
        PoolProgress("loud")
