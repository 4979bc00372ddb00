"""One recipe of a comparison in figures, and all of them as JSON and CSV."""

import collections
import csv
import dataclasses
import io
import json
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from larq_irnet import methods
from zoo.comparison.measured import Measured
from zoo.train_config import TrainConfig

__all__ = ["Accuracies", "Row", "rows_of", "to_csv", "to_json"]


@dataclasses.dataclass(frozen=True)
class Accuracies:
    """Top-1 accuracies in [0, 1] of the finished runs of one recipe, one for each seed.

    # Attributes
        validation: On the validation split.
        test: On the test split.
    """

    validation: Sequence[float]
    test: Sequence[float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """A recipe in figures; `None` is what is not known.

    # Attributes
        recipe: Name of the recipe.
        label: Name for plots: the method's, with what tells it apart from others.
        method: One of `larq_irnet.methods.names()`.
        network: One of `zoo.models.names()`.
        seeds: Number of finished runs.
        test_mean: Mean top-1 accuracy on the test split, in [0, 1].
        test_deviation: Its unbiased standard deviation over the seeds.
        test: Top-1 accuracy on the test split of each seed.
        validation_mean: Mean top-1 accuracy on the validation split.
        gap_to_float_points: Percentage points that `test_mean` is above that of full
            precision, the float recipe of the same network in the comparison.
        tflite_bytes: Size of the exported network.
        times_smaller: Size of the exported float network by this one's.
        binary_mac_share: Share of multiply-accumulates that are binary, in [0, 1].
        latency_ms: Median time of one image on one thread of this machine.
        kernel: The kernels that it was the fastest with.
        train_step_ms: Median time of one training step on all cores.
        train_step_to_float: The same by that of full precision.
    """

    recipe: str
    label: str
    method: str
    network: str
    seeds: int
    test_mean: float
    test_deviation: float | None
    test: tuple[float, ...]
    validation_mean: float
    gap_to_float_points: float | None
    tflite_bytes: int | None
    times_smaller: float | None
    binary_mac_share: float
    latency_ms: float | None
    kernel: str | None
    train_step_ms: float
    train_step_to_float: float | None


def _float_twin(name: str, configs: Mapping[str, TrainConfig]) -> str | None:
    """The first recipe in full precision of the same network and data set."""
    config = configs[name]
    for other, one in configs.items():
        is_twin = (one.network, one.dataset) == (config.network, config.dataset)
        if one.method == "float" and is_twin:
            return other
    return None


def _labels(configs: Mapping[str, TrainConfig]) -> dict[str, str]:
    has_many_networks = len({config.network for config in configs.values()}) > 1

    def described(config: TrainConfig) -> str:
        title = methods.get(config.method).title
        network = f", {config.network}" if has_many_networks else ""
        return f"{title}{network}{' + teacher' if config.teacher else ''}"

    labels = {name: described(config) for name, config in configs.items()}
    count = collections.Counter(labels.values())
    return {name: text if count[text] == 1 else name for name, text in labels.items()}


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def rows_of(
    accuracies: Mapping[str, Accuracies],
    configs: Mapping[str, TrainConfig],
    measured: Measured,
) -> list[Row]:
    """Puts together what is known of each recipe.

    # Arguments
        accuracies: Of the finished runs, at least one for each recipe, by recipe.
        configs: Settings that these recipes were trained with, in the same order; the
            seed does not matter.
        measured: Covers all of them.
    """
    labels = _labels(configs)
    means = {name: statistics.mean(one.test) for name, one in accuracies.items()}
    rows = []
    for name, config in configs.items():
        twin = _float_twin(name, configs)
        deployed = measured.deployed.get(name)
        step, one = measured.train_step_ms[name], accuracies[name]
        float_deployed = None if twin is None else measured.deployed.get(twin)
        rows.append(
            Row(
                recipe=name,
                label=labels[name],
                method=config.method,
                network=config.network,
                seeds=len(one.test),
                test_mean=means[name],
                test_deviation=_deviation(one.test),
                test=tuple(one.test),
                validation_mean=statistics.mean(one.validation),
                gap_to_float_points=(
                    None if twin is None else 100 * (means[name] - means[twin])
                ),
                tflite_bytes=None if deployed is None else deployed.tflite_bytes,
                times_smaller=(
                    None
                    if deployed is None or float_deployed is None
                    else float_deployed.tflite_bytes / deployed.tflite_bytes
                ),
                binary_mac_share=measured.binary_mac_share[name],
                latency_ms=None if deployed is None else deployed.latency_ms,
                kernel=None if deployed is None else deployed.kernel,
                train_step_ms=step,
                train_step_to_float=(
                    None if twin is None else step / measured.train_step_ms[twin]
                ),
            )
        )
    return rows


def to_json(rows: Sequence[Row], **about: Any) -> str:
    """The comparison as JSON.

    # Arguments
        rows: Under "rows".
        about: Anything else about the comparison as a whole.
    """
    fields = {**about, "rows": [dataclasses.asdict(row) for row in rows]}
    return json.dumps(fields, indent=2) + "\n"


def to_csv(rows: Sequence[Row]) -> str:
    """One line for each recipe below the names of the columns; accuracies of the seeds
    are separated by spaces, and what is not known is empty.
    """
    text = io.StringIO()
    names = [field.name for field in dataclasses.fields(Row)]
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        each = " ".join(map(str, row.test))
        writer.writerow({**dataclasses.asdict(row), "test": each})
    return text.getvalue()
