"""All settings of one training run: validated, immutable, saved beside the run."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo import datasets, models
from zoo.setting_checks import check_settings, check_types

__all__ = ["TrainConfig", "UNTRAINED"]

UNTRAINED = "untrained"  # in place of the weights of a teacher


def _frozen(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(mapping))


def _frozen_with_sequences(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """As read from JSON, where all sequences are lists."""
    return _frozen(
        {k: tuple(v) if isinstance(v, list) else v for k, v in mapping.items()}
    )


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


_FROZEN: dict[str, Callable[[Any], Any]] = {
    "decay_epochs": tuple,
    "network_options": _frozen,
    "estimator": _frozen,
    "augmentation": _frozen_with_sequences,
    "teacher": _frozen,
    "distillation": _frozen_with_sequences,
    "restriction": _frozen_with_sequences,
    "diagnostics": _frozen_with_sequences,
}

_MAPPINGS = (
    *("network_options", "estimator", "augmentation"),
    *("teacher", "distillation", "restriction", "diagnostics"),
)

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
        binary_weights: Whether the method's kernels are binary; else they are used as
            they are, in the first of two stages.
        initial_weights: Where trained weights lie that the run starts from: the folder
            of a finished run, a `.keras` file or a PyTorch checkpoint; empty for none.
        teacher: A network in full precision to learn from: its name as "network", and
            arguments of its builder. Empty for none.
        teacher_weights: Where its weights lie, as for `initial_weights`, or "untrained"
            to see whether a run works.
        distillation: What is learned from the teacher. Empty for its logits, in place
            of the labels. "targets" is "teacher" for these or "labels"; with "gamma"
            its features are learned as well, with this and other arguments of
            `larq_irnet.distillation.RepresentationAlignment`.
        restriction: IR2Net's information restriction: arguments of
            `larq_irnet.restriction.RestrictedTraining`, "layer" and others. Empty for
            none.
        diagnostics: What to write about the binary layers besides dead weights: any of
            "images", how many validation images they see (64), "batch_epochs",
            "cosine_epochs", "directions" and "metrics" of
            `larq_irnet.callbacks.BinarizationMonitor`.
            Empty for nothing.
        dataset: One of `zoo.datasets.names()`.
        statistics: Mean and deviation that images are normalised with, by name; `None`
            for those of the dataset.
        augmentation: How training images are changed where not as the dataset has it,
            by `zoo.datasets.augmentation_options`.
        epochs: Length of the run.
        batch_size: Images per step, of all replicas together.
        optimizer: "adam", Keras' own, or with coupled weight decay "sgd"
            (`zoo.torch_sgd`) and "torch_adam" (`zoo.torch_adam`).
        learning_rate: The highest of the run.
        learning_rate_schedule: "cosine", per epoch down to zero, "warmup_cosine", the
            same after a warm-up per epoch, "step", or "constant".
        warmup_epochs: Over so many epochs the learning rate grows, step by step but for
            "warmup_cosine".
        warmup_learning_rate: Where it starts from.
        decay_epochs: After so many epochs "step" multiplies the rate by 0.1.
        momentum: Of "sgd".
        nesterov: Whether "sgd" looks one step ahead.
        weight_decay: Of "sgd" and "torch_adam".
        decayed_weights: The trainable weights that it acts on: a regular expression
            that the whole name of a weight has to match, such as "logits/kernel".
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
        evaluate_test: Whether the test split is evaluated at the end. Runs that
            settings are chosen from do without it.

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
    estimator: Mapping[str, float | bool] = dataclasses.field(default_factory=dict)
    binary_weights: bool = True
    initial_weights: str = ""
    teacher: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    teacher_weights: str = ""
    distillation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    restriction: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    diagnostics: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    statistics: str | None = None
    augmentation: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    learning_rate_schedule: str = "cosine"
    warmup_epochs: float = 0.0
    warmup_learning_rate: float = 0.0
    decay_epochs: tuple[float, ...] = ()
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    decayed_weights: str = ".*"
    pad_values: float = 0.0
    alignment: str = "tensorflow"
    synchronized_batch_norm: bool = False
    estimator_update_freq: str = "epoch"
    precision: str = "float32"
    jit_compile: bool = False
    gradient_accumulation_steps: int = 1
    seed: int = 0
    steps_per_epoch: int | None = None
    evaluate_test: bool = True

    def __post_init__(self) -> None:
        check_types(self)
        for name, frozen in _FROZEN.items():
            object.__setattr__(self, name, frozen(getattr(self, name)))
        check_settings(self)

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
        is_stretched = isinstance(epochs, int) and epochs != self.epochs
        stretched = self.stretched(epochs) if is_stretched else self
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

        Datasets that lie on disk are replaced by synthetic images of the same shape,
        and trained weights by initial ones.
        """
        synthetic = f"synthetic_{self.dataset}"
        dataset = synthetic if synthetic in datasets.names() else self.dataset
        is_large = datasets.get(dataset).input_shape[0] > _LARGE_IMAGE
        return dataclasses.replace(
            self.stretched(_SMOKE_EPOCHS),
            dataset=dataset,
            initial_weights="",
            teacher_weights=UNTRAINED if self.teacher else "",
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
            "method": method if self.binary_weights else method.with_real_weights(),
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
