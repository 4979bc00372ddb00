"""All settings of one training run: validated, immutable, saved beside the run."""

import dataclasses
import json
import math
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo import datasets, models

__all__ = ["TrainConfig"]

_CHOICES = {
    "optimizer": ("adam", "sgd"),
    "learning_rate_schedule": ("cosine", "constant"),
    "alignment": models.ALIGNMENTS,
    "pad_values": (0.0, 1.0),
    "precision": ("float32", "mixed_float16", "mixed_bfloat16"),
    "estimator_update_freq": ("epoch", "batch"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What to train, on what, and how.

    # Attributes
        network: One of `zoo.models.names()`.
        method: One of `larq_irnet.methods.names()`.
        dataset: One of `zoo.datasets.names()`.
        epochs: Length of the run.
        batch_size: Images per step.
        optimizer: "adam" or "sgd".
        learning_rate: At the first epoch.
        learning_rate_schedule: "cosine", per epoch down to zero, or "constant".
        momentum: Of "sgd".
        pad_values: What binary convolutions pad with, 0.0 or 1.0.
        alignment: "tensorflow" or "torch".
        estimator_update_freq: How often the surrogate gradient moves, "epoch" or
            "batch".
        precision: "float32", "mixed_float16" or "mixed_bfloat16".
        jit_compile: Whether XLA compiles the training step.
        seed: Sets initial weights and the order of images.
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
    learning_rate_schedule: str = "cosine"
    momentum: float = 0.9
    pad_values: float = 0.0
    alignment: str = "tensorflow"
    estimator_update_freq: str = "epoch"
    precision: str = "float32"
    jit_compile: bool = False
    seed: int = 0
    steps_per_epoch: int | None = None

    def __post_init__(self) -> None:
        models.get(self.network)
        irnet.methods.get(self.method)
        dataset = datasets.get(self.dataset)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(
                    f"Expected `{name}` out of {list(choices)}, got "
                    f"{getattr(self, name)!r}."
                )
        for name in ("epochs", "batch_size", "seed"):
            self._check(name, isinstance(getattr(self, name), int), "an integer")
        self._check("jit_compile", isinstance(self.jit_compile, bool), "a bool")
        self._check("epochs", self.epochs >= 1, "at least 1")
        train_size = dataset.size("train")
        self._check(
            "batch_size", 1 <= self.batch_size <= train_size, f"in [1, {train_size}]"
        )
        self._check("learning_rate", 0 < self.learning_rate < math.inf, "positive")
        self._check("momentum", 0 <= self.momentum < 1, "in [0, 1)")
        self._check("seed", 0 <= self.seed < 2**31, "in [0, 2^31)")
        self._check(
            "steps_per_epoch",
            self.steps_per_epoch is None
            or (isinstance(self.steps_per_epoch, int) and self.steps_per_epoch >= 1),
            "None or at least 1",
        )

    def _check(self, name: str, is_valid: bool, expected: str) -> None:
        if not is_valid:
            raise ValueError(
                f"Expected `{name}` to be {expected}, got {getattr(self, name)!r}."
            )

    @property
    def steps(self) -> int:
        """Training steps in one epoch."""
        steps = datasets.get(self.dataset).size("train") // self.batch_size
        return min(steps, self.steps_per_epoch or steps)

    def shrunk(self) -> "TrainConfig":
        """The same run in seconds: two epochs of three small steps."""
        return dataclasses.replace(
            self, epochs=2, steps_per_epoch=3, batch_size=min(self.batch_size, 16)
        )

    def build_model(self, **overrides: Any) -> tf.keras.Model:
        """Builds the network, untrained and not compiled.

        # Arguments
            overrides: Arguments of the network's builder that replace those of this
                configuration, such as `alignment="torch"`.
        """
        dataset = datasets.get(self.dataset)
        arguments = {
            "method": self.method,
            "input_shape": dataset.input_shape,
            "num_classes": dataset.num_classes,
            "pad_values": self.pad_values,
            "alignment": self.alignment,
        }
        return models.get(self.network)(**{**arguments, **overrides})

    def to_json(self) -> str:
        """The configuration as JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2)

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
