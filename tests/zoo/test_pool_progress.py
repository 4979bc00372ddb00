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


def make_run(folder, method="irnet", **settings):
    config = small_config(epochs=EPOCHS, method=method, **settings)
    return PooledRun(name=method, config=config, folder=folder)


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


def go_on(clock, seconds, progress, *epochs_of_runs):
    clock.now += seconds
    for run, epochs in epochs_of_runs:
        finish_epochs(run, epochs)
    progress.update()


def test_a_single_epoch_does_not_tell_its_time_from_that_of_starting(
    progress, clock, tmp_path
):
    run = make_run(tmp_path)
    with progress.of([run], parallel=1):
        progress.started(run)
        go_on(clock, 60, progress, (run, 1))
        assert progress.seconds_left() is None
        go_on(clock, 10, progress, (run, 2))
        assert progress.seconds_left() == 20.0


@pytest.mark.parametrize("parallel", [1, 2])
def test_time_left(parallel, progress, clock, tmp_path):
    # 5 s to start; 10 s for an epoch of irnet and 5 s for one of recu
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b", "recu")
    waiting = make_run(tmp_path / "c"), make_run(tmp_path / "d", "recu")
    with progress.of([first, second, *waiting], parallel=parallel):
        progress.started(first)
        progress.started(second)
        go_on(clock, 10, progress, (second, 1))
        go_on(clock, 5, progress, (second, 2), (first, 1))
        go_on(clock, 10, progress, (second, 4), (first, 2))
        progress.failed(second, "why")
        # 2 epochs of irnet, then all of irnet and recu
        assert progress.seconds_left() == (20 + 45 + 25) / parallel


@pytest.mark.parametrize(
    "settings, seconds",
    [
        ({"batch_size": 8}, 5 + EPOCHS * 30),
        ({"steps_per_epoch": 1}, 5 + EPOCHS * 30),
        ({"precision": "mixed_float16"}, 5 + EPOCHS * 30),
        (
            {"teacher": {"network": "ResNet20"}, "teacher_weights": "untrained"},
            5 + EPOCHS * 30,
        ),
        ({"learning_rate": 0.5}, 5 + EPOCHS * 20),  # makes no difference
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else str(value),
)
def test_runs_of_one_method_that_take_different_times(
    settings, seconds, progress, clock, tmp_path
):
    plain = make_run(tmp_path / "a")
    changed, waiting = (make_run(tmp_path / name, **settings) for name in "bc")
    with progress.of([plain, changed, waiting], parallel=1):
        for run, epoch in ((plain, 10), (changed, 30)):
            progress.started(run)
            go_on(clock, 5 + epoch, progress, (run, 1))
            go_on(clock, 3 * epoch, progress, (run, EPOCHS))
            progress.failed(run, "why")
        assert progress.seconds_left() == seconds


def test_few_epochs_count_little(progress, clock, tmp_path):
    one, other = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    with progress.of([one, other], parallel=1):
        progress.started(one)
        go_on(clock, 10, progress, (one, 1))
        go_on(clock, 30, progress, (one, 4))
        progress.failed(one, "why")
        progress.started(other)
        go_on(clock, 10, progress, (other, 1))
        go_on(clock, 90, progress, (other, 2))  # once 90 s, three times 10 s
        assert progress.seconds_left() == 2 * 30.0


def test_earlier_sessions_do_not_make_it_faster(progress, clock, tmp_path):
    run = make_run(tmp_path)
    finish_epochs(run, 1)
    with progress.of([run], parallel=1):
        progress.started(run)
        go_on(clock, 50, progress, (run, 2))
        go_on(clock, 10, progress, (run, 3))
        assert progress.seconds_left() == 10.0


def test_the_longest_run_is_waited_for(progress, clock, tmp_path):
    run = make_run(tmp_path)
    with progress.of([run], parallel=8):
        progress.started(run)
        go_on(clock, 10, progress, (run, 1))
        go_on(clock, 10, progress, (run, 2))
        assert progress.seconds_left() == 20.0


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
        go_on(clock, 20, progress, (run, 1))
        go_on(clock, 10, progress, (run, 2))
        assert progress._bar is not None
        progress._bar.refresh()
        assert "1 of 2 runs, 0:00:20 left" in written.getvalue()
        assert "6/8 epochs" in written.getvalue()
        assert "2/4 epochs" in written.getvalue()
        complete(run, 0.25)
        progress.finished(run)
    assert "irnet: 25.00% of the validation images, 0:00:30" in written.getvalue()


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


def test_damaged_metrics_of_one_run_are_not_the_end_of_all(progress, clock, tmp_path):
    runs = [make_run(tmp_path / name) for name in ("damaged", "sound")]
    finish_epochs(runs[0], 2)
    runs[0].workdir.metrics_path.write_text(
        "epoch,accuracy,loss,val_accuracy,val_loss\n0,x,0,0,0\n"
    )
    with progress.of(runs, parallel=2):
        for run in runs:
            progress.started(run)
        clock.now += 10.0
        progress.update()
        progress.failed(runs[0], "It is damaged.")
        complete(runs[1], 0.9)
        progress.finished(runs[1])
