import io
import json
import os
import signal
import threading

import pytest
import rich.console

from tests.zoo.commands import REPOSITORY
from tests.zoo.runs import assert_same, weights
from tests.zoo.small_network import small_config
from zoo import training
from zoo.pool_progress import PoolProgress
from zoo.run_pool import PooledRun, train_all
from zoo.run_summary import arithmetic
from zoo.run_worker import RunRequest, _leave_when_it_closes
from zoo.workdir import Workdir
from zoo.workdir_error import WorkdirError

STUB = "tests.zoo.stub_worker"
OTHER = "the other one"
DIVERGES, DIES, NEVER_ENDS = 7, 8, 9  # seeds that the stub knows


@pytest.fixture(autouse=True)
def workers_find_the_tests(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))


def pooled(folder, seed, **options):
    return PooledRun(
        name=f"some, seed {seed}",
        config=small_config(seed=seed),
        folder=folder / f"seed{seed}",
        **options,
    )


def request_of(run):
    return json.loads((run.folder / "request.json").read_text())


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_run_is_trained_in_a_process_with_its_settings(tmp_path):
    runs = [pooled(tmp_path, seed) for seed in (0, 1, 2)]
    assert train_all(runs, parallel=2, threads=3, worker=STUB, data_dir="data") == {}
    requests = [request_of(run) for run in runs]
    assert len({request.pop("pid") for request in requests} - {os.getpid()}) == 3
    assert requests == [
        {
            "config": run.config.to_json(),
            "folder": str(run.folder),
            "data_dir": "data",
            "threads": 3,
        }
        for run in runs
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "seed0",
        "seed1",
        "seed2",
    ]


def test_a_complete_run_is_not_trained_again(tmp_path):
    run = pooled(tmp_path, 0)
    train_all([run], parallel=1, worker=STUB)
    pid = request_of(run)["pid"]
    train_all([run, pooled(tmp_path, 1)], parallel=1, worker=STUB)
    assert request_of(run)["pid"] == pid


def test_finished_runs_with_other_threads_are_not_mixed_in(tmp_path):
    run, other = pooled(tmp_path, 0), pooled(tmp_path, 1)
    train_all([run], parallel=1, threads=2, worker=STUB)
    message = "Expected .* trained with threads=1, got threads=2 in .* ask for 2 thr"
    with pytest.raises(ValueError, match=message):
        train_all([run, other], parallel=1, threads=1, worker=STUB)
    assert not other.folder.exists()
    assert train_all([run, other], parallel=1, threads=2, worker=STUB) == {}


@pytest.mark.parametrize("state", ["complete", "interrupted"])
@pytest.mark.parametrize(
    "threads, change, message",
    [
        (1, {"threads": 2}, "with threads=1, got threads=2 in .* ask for 2 threads"),
        (1, {"onednn": OTHER}, "got onednn=.* set TF_ENABLE_ONEDNN_OPTS=[01]"),
        (0, {"cores": 12345}, "got cores=12345 in .* a machine with 12345 cores"),
        (0, {"threads": 1, "cores": 12345}, "with threads=0, got threads=1 in"),
        (1, {"cores": 12345}, None),
        (1, {"onednn": None}, None),
    ],
)
def test_runs_of_other_arithmetic_are_refused(
    state, threads, change, message, tmp_path
):
    run = pooled(tmp_path, 0)
    now = {**arithmetic(), "threads": threads}
    if change.get("onednn") == OTHER:
        if now["onednn"] is None:
            pytest.skip("TensorFlow does not tell whether it uses oneDNN")
        change = {"onednn": not now["onednn"]}
    run.workdir.create(run.config)
    run.workdir.write_arithmetic({**now, **change})
    if state == "complete":
        run.workdir.write_results({"validation": {"accuracy": 0.5}})
    else:
        run.workdir.checkpoints_path.mkdir()
        (run.workdir.checkpoints_path / "ckpt-1.index").touch()
    if message is None:
        assert train_all([run], parallel=1, threads=threads, worker=STUB) == {}
        return
    with pytest.raises(ValueError, match=message):
        train_all([run], parallel=1, threads=threads, worker=STUB)


def test_a_run_that_was_resumed_by_itself_with_other_threads_is_refused(tmp_path):
    run = pooled(tmp_path, 0)
    now = {**arithmetic(), "threads": 1}
    run.workdir.create(run.config)
    run.workdir.write_arithmetic(now)
    results = {"validation": {"accuracy": 0.5}, "arithmetic": {**now, "threads": 0}}
    run.workdir.write_results(results)
    with pytest.raises(ValueError, match="with threads=1, got threads=0 in"):
        train_all([run], parallel=1, threads=1, worker=STUB)


def test_what_has_no_epoch_yet_begins_anew_with_other_threads(tmp_path):
    run = pooled(tmp_path, 0)
    run.workdir.create(run.config)
    run.workdir.write_arithmetic({**arithmetic(), "threads": 7})
    assert train_all([run], parallel=1, threads=1, worker=STUB) == {}


def test_finished_runs_that_do_not_tell_their_threads_are_kept(tmp_path):
    run = pooled(tmp_path, 0)
    train_all([run], parallel=1, worker=STUB)
    results = run.workdir.results()
    del results["arithmetic"]
    run.workdir.write_results(results)
    assert train_all([run], parallel=1, threads=2, worker=STUB) == {}


@pytest.mark.parametrize(
    "seed, reason",
    [
        (DIVERGES, "The loss became nan in epoch 1, step 1."),
        (DIES, "The process was ended by signal 9; see {folder}.log."),
    ],
)
def test_a_failed_run_does_not_lose_the_others(seed, reason, tmp_path):
    failing, other = pooled(tmp_path, seed), pooled(tmp_path, 1)
    failures = train_all([failing, other], parallel=2, worker=STUB)
    assert failures == {failing.name: reason.format(folder=failing.folder)}
    assert other.workdir.is_complete
    assert not failing.workdir.is_complete


def test_a_worker_that_cannot_start(tmp_path):
    run = pooled(tmp_path, 0)
    (reason,) = train_all([run], parallel=1, worker="tests.nowhere").values()
    assert reason.startswith("The process ended with code 1 (")
    assert "No module named tests.nowhere" in reason


def test_runs_that_need_others(tmp_path):
    first = pooled(tmp_path, 1)
    later = pooled(tmp_path, 2, needs=(first.folder,))
    assert train_all([first, later], parallel=2, worker=STUB) == {}
    times = [(run.folder / "request.json").stat().st_mtime for run in (first, later)]
    assert times[0] < times[1]

    failing = pooled(tmp_path, DIVERGES)
    lost = pooled(tmp_path, 3, needs=(failing.folder,))
    failures = train_all([failing, lost], parallel=2, worker=STUB)
    assert failures[lost.name] == f"It needs {failing.folder}, which has failed."
    assert not lost.folder.exists()


def test_a_needed_run_comes_before(tmp_path):
    run = pooled(tmp_path, 1, needs=(tmp_path / "seed0",))
    with pytest.raises(ValueError, match="Expected a finished run in .*seed0, or one"):
        train_all([run, pooled(tmp_path, 0)], parallel=1, worker=STUB)


class Interrupting(PoolProgress):
    """Ctrl-C as soon as something is true."""

    def __init__(self, when):
        super().__init__("none")
        self._when = when

    def update(self):
        if self._when():
            signal.raise_signal(signal.SIGINT)


def test_an_interruption_ends_the_processes(tmp_path):
    runs = [pooled(tmp_path, NEVER_ENDS), pooled(tmp_path, 1)]
    progress = Interrupting((runs[0].folder / "request.json").exists)
    with pytest.raises(KeyboardInterrupt):
        train_all(runs, parallel=2, progress=progress, worker=STUB)
    assert not is_alive(request_of(runs[0])["pid"])


def test_a_worker_ends_with_its_pool(monkeypatch):
    # a pool that is killed cannot end its workers: they notice
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    reading, writing = os.pipe()
    with open(reading) as stream:
        thread = threading.Thread(target=_leave_when_it_closes, args=[stream])
        thread.start()
        os.write(writing, b"not the end")
        thread.join(0.1)
        assert codes == []
        os.close(writing)
        thread.join(20)
        assert codes == [3]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"parallel": 0}, "at least one run at once, .* got 0 and 1"),
        ({"parallel": 1, "threads": -1}, "0 or more threads, got 1 and -1"),
    ],
)
def test_numbers_out_of_range(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        train_all([pooled(tmp_path, 0)], **options, worker=STUB)


def test_two_runs_in_one_folder(tmp_path):
    with pytest.raises(ValueError, match="Expected a folder for each run"):
        train_all([pooled(tmp_path, 0)] * 2, parallel=1, worker=STUB)


def test_another_run_in_the_folder_is_noticed_before_any_training(tmp_path):
    other = pooled(tmp_path, 1)
    other.workdir.create(small_config(seed=1, learning_rate=0.5))
    with pytest.raises(WorkdirError, match="learning_rate=0.5 there, 0.01 now"):
        train_all([pooled(tmp_path, 0), other], parallel=1, worker=STUB)
    assert not (tmp_path / "seed0").exists()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(WorkdirError, match="Cannot write .*file/seed0: File exists"):
        train_all([pooled(tmp_path / "file", 0)], parallel=1, worker=STUB)


def test_a_request_round_trips():
    request = RunRequest(config="{}", folder="a b", data_dir=None, threads=1)
    assert RunRequest.from_line(request.to_line()) == request


def test_parallel_equals_serial(small_network_for_module, tmp_path):
    together = [pooled(tmp_path / "together", seed) for seed in (0, 1)]
    written = io.StringIO()
    progress = PoolProgress("lines", console=rich.console.Console(file=written))
    worker = "tests.zoo.small_worker"
    # as many threads as this process has: sums are taken in the same order
    failures = train_all(
        together, parallel=2, threads=0, progress=progress, worker=worker
    )
    assert failures == {}
    assert written.getvalue().count("of the validation images") == 2
    for run in together:
        alone = Workdir(tmp_path / "alone" / run.folder.name)
        training.run(run.config, alone.path, progress="none")
        assert_same(weights(alone.path), weights(run.folder))
        metrics = alone.metrics_path.read_bytes()
        assert metrics == run.workdir.metrics_path.read_bytes()
