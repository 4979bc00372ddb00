import os

import pytest

from zoo import pool_size
from zoo.pool_size import default_parallel


@pytest.mark.parametrize(
    "cores, gigabytes, threads, runs",
    [
        (2, 100.0, 1, 2),
        (8, 100.0, 1, 8),
        (8, 100.0, 2, 4),
        (8, 100.0, 0, 1),  # all cores for each run
        (8, 4.0, 1, 2),
        (8, 0.1, 1, 1),
        (2, 100.0, 16, 1),
    ],
)
def test_cores_and_memory_decide(cores, gigabytes, threads, runs, monkeypatch):
    monkeypatch.setattr(pool_size, "_cores", lambda: cores)
    monkeypatch.setattr(pool_size, "_free_gigabytes", lambda: gigabytes)
    assert default_parallel(threads) == runs


def test_one_run_for_a_gpu(monkeypatch):
    listed = pool_size.tf.config.list_physical_devices
    monkeypatch.setattr(
        pool_size.tf.config,
        "list_physical_devices",
        lambda kind=None: ["gpu"] if kind == "GPU" else listed(kind),
    )
    monkeypatch.setattr(pool_size, "_cores", lambda: 8)
    assert default_parallel(1) == 1


def test_this_machine():
    assert 1 <= pool_size._cores() <= (os.cpu_count() or 1)
    assert pool_size._free_gigabytes() > 0
