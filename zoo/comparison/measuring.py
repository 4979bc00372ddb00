"""Measures all recipes of a comparison in one process, when nothing trains."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from zoo.comparison.measured import Deployed, Measured, machine, run_identity
from zoo.comparison.step_time import measure_steps
from zoo.network_cost import network_cost
from zoo.run_pool import PooledRun
from zoo.train_config import TrainConfig

__all__ = ["can_export", "measured"]

_STEP_SECONDS = 30.0  # medians of 30 steps of small networks differ by up to a fifth


def can_export() -> bool:
    """Whether Larq Compute Engine is installed."""
    return importlib.util.find_spec("larq_compute_engine") is not None


def _binary_share(config: TrainConfig) -> float:
    cost = network_cost(config.build_model())
    return cost.binary_macs / (cost.binary_macs + cost.float_macs)


def _deployed(
    runs: Mapping[str, PooledRun],
    data_dir: str | None,
    report: Callable[[str], None],
) -> tuple[dict[str, Deployed], dict[str, str]]:
    """Exports the runs and measures them; also why some cannot be exported."""
    # here: training needs no export
    from tflite_export import ExportError
    from zoo.comparison.deployment import export_run, measure_deployed

    models: dict[str, Path] = {}
    failures: dict[str, str] = {}
    for name, run in runs.items():
        report(f"exporting {name}")
        try:
            models[name] = export_run(run.folder, data_dir=data_dir)
        except ExportError as error:
            failures[name] = " ".join(str(error).split())
            report(f"{name} is not exported: {failures[name]}")
        tf.keras.backend.clear_session()
    report("measuring latencies")
    return measure_deployed(models) if models else {}, failures


def measured(
    runs: Mapping[str, PooledRun],
    path: Path,
    *,
    data_dir: str | None = None,
    again: bool = False,
    brief: bool = False,
    report: Callable[[str], None] = lambda text: None,
) -> Measured:
    """Sizes, latencies and training steps, from a file if they are there.

    All recipes are measured in turns in this process, so that ratios are of one state
    of the machine: if one is missing, or its run is another one, all are exported and
    measured again.

    # Arguments
        runs: A finished run of each recipe.
        path: The file.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        again: Whether to measure what is there as well.
        brief: Whether a few training steps are enough, as for shrunk runs.
        report: Called with what is being done.

    # Raises
        WorkdirError: if the file is damaged or cannot be written.
    """
    identities = {name: run_identity(run) for name, run in runs.items()}
    there = None if again else Measured.read(path)
    if there is not None and there.covers(identities, exported=can_export()):
        return there
    deployed: dict[str, Deployed] = {}
    failures: dict[str, str] = {}
    if can_export():
        deployed, failures = _deployed(runs, data_dir, report)
    configs = {name: run.config for name, run in runs.items()}
    report("measuring training steps")
    at_least = 0.0 if brief else _STEP_SECONDS
    seconds = measure_steps(configs, data_dir=data_dir, seconds=at_least)
    found = Measured(
        machine=machine(),
        train_step_ms={name: 1e3 * time for name, time in seconds.items()},
        binary_mac_share={
            name: _binary_share(config) for name, config in configs.items()
        },
        deployed=deployed,
        not_exported=failures,
        runs=identities,
    )
    tf.keras.backend.clear_session()
    found.write(path)
    return found
