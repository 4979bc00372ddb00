"""All settings of one training run: validated, immutable, saved beside the run."""

import dataclasses
import inspect
import json
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo import datasets, models
from zoo.setting_types import expected_type, is_of_type

__all__ = ["PRECISIONS", "TrainConfig"]

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16", "float64")

_CHOICES = {
    "optimizer": ("adam", "sgd"),
    "learning_rate_schedule": ("cosine", "constant", "step"),
    "alignment": models.ALIGNMENTS,
    "pad_values": (0.0, 1.0),
    "precision": PRECISIONS,
    "estimator_update_freq": ("epoch", "batch"),
}


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


_FROZEN: dict[str, Callable[[Any], Any]] = {
    "decay_epochs": tuple,
    "network_options": _frozen,
    "estimator": _frozen,
}

_MAPPINGS = ("network_options", "estimator")

_SMOKE_EPOCHS = 2
_SMOKE_STEPS = 3
_SMOKE_BATCH = 16
_SMOKE_BATCH_OF_LARGE_IMAGES = 4
_LARGE_IMAGE = 100  # pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What to train, on what, and how.

    # Attributes
        network: One of `zoo.models.names()`.
        network_options: Further arguments of its builder, such as `block`.
        method: One of `larq_irnet.methods.names()`.
        estimator: Constants of the surrogate gradient that are not the method's own,
            such as `t_min`.
        dataset: One of `zoo.datasets.names()`.
        statistics: Mean and deviation that images are normalised with, by name; `None`
            for those of the dataset.
        epochs: Length of the run.
        batch_size: Images per step, of all replicas together.
        optimizer: "adam", or "sgd" with coupled weight decay (`zoo.torch_sgd`).
        learning_rate: The highest of the run.
        learning_rate_schedule: "cosine", per epoch down to zero, "step", or "constant".
        warmup_epochs: Over so many epochs the learning rate grows step by step.
        warmup_learning_rate: Where it starts from.
        decay_epochs: After so many epochs "step" multiplies the rate by 0.1.
        momentum: Of "sgd".
        nesterov: Whether "sgd" looks one step ahead.
        weight_decay: Of "sgd", on all trainable weights.
        pad_values: What binary convolutions pad with, 0.0 or 1.0.
        alignment: "tensorflow" or "torch".
        synchronized_batch_norm: Whether replicas share the statistics of a batch.
        estimator_update_freq: How often the surrogate gradient moves, "epoch" or
            "batch".
        precision: "float32", "mixed_float16", "mixed_bfloat16" or "float64".
        jit_compile: Whether XLA compiles the training step.
        gradient_accumulation_steps: 1; there is no accumulation.
        seed: Sets initial weights, and order and augmentation of images.
        steps_per_epoch: Cuts each epoch off after so many steps; `None` for all.

    # Raises
        ValueError: for an unknown name or a number out of its range.
    """

    network: str
    method: str
    dataset: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    network_options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    estimator: Mapping[str, float] = dataclasses.field(default_factory=dict)
    statistics: str | None = None
    learning_rate_schedule: str = "cosine"
    warmup_epochs: float = 0.0
    warmup_learning_rate: float = 0.0
    decay_epochs: tuple[float, ...] = ()
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    pad_values: float = 0.0
    alignment: str = "tensorflow"
    synchronized_batch_norm: bool = False
    estimator_update_freq: str = "epoch"
    precision: str = "float32"
    jit_compile: bool = False
    gradient_accumulation_steps: int = 1
    seed: int = 0
    steps_per_epoch: int | None = None

    def __post_init__(self) -> None:
        self._check_types()
        for name, frozen in _FROZEN.items():
            object.__setattr__(self, name, frozen(getattr(self, name)))
        for name, choices in _CHOICES.items():
            self._check(name, getattr(self, name) in choices, f"one of {list(choices)}")
        self._check_network()
        self._check_length()
        self._check_optimizer()

    def _check(self, name: str, is_valid: bool, expected: str) -> None:
        if not is_valid:
            raise ValueError(
                f"Expected `{name}` to be {expected}, got {getattr(self, name)!r}."
            )

    def _check_types(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            expected = expected_type(field.type)
            self._check(field.name, is_of_type(value, field.type), expected)

    def _check_network(self) -> None:
        known = inspect.signature(models.get(self.network)).parameters
        own = {"method", "input_shape", "num_classes", "name"}
        own |= {field.name for field in dataclasses.fields(self)}
        options = sorted(set(known) - own)
        self._check(
            "network_options",
            set(self.network_options) <= set(options),
            f"out of {options} for {self.network}",
        )
        irnet.methods.get(self.method).with_estimator(**self.estimator)

    def _check_length(self) -> None:
        dataset = datasets.get(self.dataset, statistics=self.statistics)
        train_size = dataset.size("train")
        self._check("epochs", self.epochs >= 1, "at least 1")
        self._check(
            "batch_size", 1 <= self.batch_size <= train_size, f"in [1, {train_size}]"
        )
        self._check("seed", 0 <= self.seed < 2**31, "in [0, 2^31)")
        self._check(
            "steps_per_epoch",
            self.steps_per_epoch is None or self.steps_per_epoch >= 1,
            "None or at least 1",
        )

    def _check_optimizer(self) -> None:
        self._check("learning_rate", 0 < self.learning_rate < math.inf, "positive")
        for name in ("weight_decay", "warmup_epochs", "warmup_learning_rate"):
            number = getattr(self, name)
            self._check(name, 0 <= number < math.inf, "0 or positive")
        self._check("momentum", 0 <= self.momentum < 1, "in [0, 1)")
        self._check("nesterov", not self.nesterov or self.momentum > 0, "with momentum")
        self._check(
            "decay_epochs",
            bool(self.decay_epochs) == (self.learning_rate_schedule == "step")
            and list(self.decay_epochs) == sorted(set(self.decay_epochs))
            and all(0 < epoch < self.epochs for epoch in self.decay_epochs),
            f"growing numbers below the {self.epochs} epochs for the schedule 'step' "
            "and empty for others",
        )
        self._check(
            "warmup_epochs",
            self.warmup_epochs < self.epochs,
            f"below the {self.epochs} epochs",
        )
        if self.optimizer == "adam":
            self._check("weight_decay", self.weight_decay == 0, "0 with adam")
            self._check("nesterov", not self.nesterov, "False with adam")
        self._check(
            "gradient_accumulation_steps",
            self.gradient_accumulation_steps == 1,
            "1, because batch normalisation would see the parts of a batch and the run "
            "would be another one (spread the batch over replicas with --strategy and "
            "--synchronized_batch_norm, or save memory with --precision)",
        )

    @property
    def steps(self) -> int:
        """Training steps in one epoch."""
        steps = datasets.get(self.dataset).size("train") // self.batch_size
        return min(steps, self.steps_per_epoch or steps)

    def with_settings(self, settings: Mapping[str, Any]) -> "TrainConfig":
        """The same run with other settings.

        # Arguments
            settings: Values by the names of the attributes; "estimator.t_min" and the
                like change one value of a mapping. Other "epochs" stretch the run.

        # Raises
            ValueError: for a name that there is not, or an invalid value.
        """
        changes: dict[str, Any] = {}
        for name, value in settings.items():
            attribute, _, key = name.partition(".")
            if attribute not in vars(self) or (key and attribute not in _MAPPINGS):
                raise ValueError(
                    f"Expected a setting out of {sorted(vars(self))}, got {name!r}."
                )
            if key:
                before = changes.get(attribute, getattr(self, attribute))
                value = {**before, key: value}
            changes[attribute] = value
        epochs = changes.get("epochs", self.epochs)
        is_longer = isinstance(epochs, int) and epochs != self.epochs
        stretched = self.stretched(epochs) if is_longer else self
        return dataclasses.replace(stretched, **changes)

    def stretched(self, epochs: int) -> "TrainConfig":
        """The same run over more or fewer epochs: all of its schedules scale along."""
        share = epochs / self.epochs
        return dataclasses.replace(
            self,
            epochs=epochs,
            warmup_epochs=self.warmup_epochs * share,
            decay_epochs=tuple(epoch * share for epoch in self.decay_epochs),
        )

    def shrunk(self) -> "TrainConfig":
        """The same run in seconds: two epochs of a few small steps.

        Datasets that lie on disk are replaced by synthetic images of the same shape.
        """
        synthetic = f"synthetic_{self.dataset}"
        dataset = synthetic if synthetic in datasets.names() else self.dataset
        is_large = datasets.get(dataset).input_shape[0] > _LARGE_IMAGE
        return dataclasses.replace(
            self.stretched(_SMOKE_EPOCHS),
            dataset=dataset,
            steps_per_epoch=_SMOKE_STEPS,
            batch_size=min(
                self.batch_size,
                _SMOKE_BATCH_OF_LARGE_IMAGES if is_large else _SMOKE_BATCH,
            ),
        )

    def build_model(self, **overrides: Any) -> tf.keras.Model:
        """Builds the network, untrained and not compiled.

        # Arguments
            overrides: Arguments of the network's builder that replace those of this
                configuration, such as `alignment="torch"`.
        """
        dataset = datasets.get(self.dataset)
        method = irnet.methods.get(self.method).with_estimator(**self.estimator)
        arguments = {
            "method": method,
            "input_shape": dataset.input_shape,
            "num_classes": dataset.num_classes,
            "pad_values": self.pad_values,
            "alignment": self.alignment,
            "synchronized_batch_norm": self.synchronized_batch_norm,
            **self.network_options,
        }
        return models.get(self.network)(**{**arguments, **overrides})

    def to_json(self) -> str:
        """The configuration as JSON."""
        fields = {name: _plain(value) for name, value in vars(self).items()}
        return json.dumps(fields, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "TrainConfig":
        """Reads what `to_json` wrote.

        # Raises
            ValueError: if the text is not JSON, or not of a configuration.
        """
        fields = json.loads(text)
        if not isinstance(fields, dict):
            raise ValueError(f"Expected a JSON object, got {type(fields).__name__}.")
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"Expected the settings of a run: {error}.") from error
