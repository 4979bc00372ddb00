"""What the settings of a run may be, alone and together."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import larq_irnet as irnet
from larq_irnet.distillation import TARGETS
from larq_irnet.restriction import check_restriction
from zoo import datasets, models
from zoo.coupled_weight_decay import check_decayed_weights
from zoo.diagnostics import check_diagnostics
from zoo.setting_types import expected_type, is_of_type

if TYPE_CHECKING:
    from zoo.train_config import TrainConfig

__all__ = ["PRECISIONS", "check_settings", "check_types"]

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16", "float64")

_CHOICES = {
    "optimizer": ("adam", "sgd", "torch_adam"),
    "learning_rate_schedule": ("cosine", "warmup_cosine", "constant", "step"),
    "alignment": models.ALIGNMENTS,
    "pad_values": (0.0, 1.0),
    "precision": PRECISIONS,
    "estimator_update_freq": ("epoch", "batch"),
}

_DISTILLATION = {"targets", "layers", "gamma", "squared", "per_sample"}
_RESTRICTION = {"layer", "threshold", "normalize", "fill", "statistics"}

# arguments of builders that follow from the method and the dataset
_NOT_OPTIONS = {"method", "input_shape", "num_classes", "name"}


def check_types(config: TrainConfig) -> None:
    """Makes sure that all settings have the types that they are annotated with.

    # Raises
        ValueError: if one has another.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        expected = expected_type(field.type)
        _check(config, field.name, is_of_type(value, field.type), expected)


def check_settings(config: TrainConfig) -> None:
    """Makes sure that all settings are known, in range and go together.

    # Raises
        ValueError: if they do not.
    """
    for name, choices in _CHOICES.items():
        is_known = getattr(config, name) in choices
        _check(config, name, is_known, f"one of {list(choices)}")
    _check_network(config)
    _check_method(config)
    _check_teacher(config)
    _check_distillation(config)
    _check_restriction(config)
    _check_diagnostics(config)
    _check_length(config)
    _check_learning_rate(config)
    _check_optimizer(config)


def _check(config: TrainConfig, name: str, is_valid: bool, expected: str) -> None:
    if not is_valid:
        value = getattr(config, name)
        shown = dict(value) if isinstance(value, Mapping) else value
        raise ValueError(f"Expected `{name}` to be {expected}, got {shown!r}.")


def _check_options(
    setting: str, given: Mapping[str, Any], network: str, not_options: set[str]
) -> None:
    arguments = inspect.signature(models.get(network)).parameters
    options = sorted(set(arguments) - not_options)
    unknown = sorted(set(given) - set(options))
    if unknown:
        raise ValueError(
            f"Expected `{setting}` out of {options} for {network}, got {unknown}."
        )


def _check_network(config: TrainConfig) -> None:
    settings = {field.name for field in dataclasses.fields(config)}
    _check_options(
        "network_options",
        config.network_options,
        config.network,
        _NOT_OPTIONS | settings,
    )


def _check_method(config: TrainConfig) -> None:
    method = irnet.methods.get(config.method)
    _check(
        config,
        "binary_weights",
        config.binary_weights or method.input_quantizer is not None,
        f"True, because inputs are in full precision with {method.name!r}",
    )
    trained = method if config.binary_weights else method.with_real_weights()
    trained.with_estimator(**config.estimator)


def _check_teacher(config: TrainConfig) -> None:
    teacher = dict(config.teacher)
    _check(
        config,
        "teacher_weights",
        bool(config.teacher_weights) == bool(teacher),
        "the place of its weights with a teacher" if teacher else "'' without teacher",
    )
    if not teacher:
        return
    network = teacher.pop("network", None)
    is_named = network in models.names()
    _check(config, "teacher", is_named, f"with a 'network' out of {models.names()}")
    _check_options("teacher", teacher, network, _NOT_OPTIONS)


def _check_distillation(config: TrainConfig) -> None:
    given = dict(config.distillation)
    if not given:
        return
    _check(config, "distillation", bool(config.teacher), "empty without teacher")
    unknown = sorted(set(given) - _DISTILLATION)
    known = f"out of {sorted(_DISTILLATION)}"
    _check(config, "distillation", not unknown, known)
    targets = given.pop("targets", TARGETS[0])
    is_target = targets in TARGETS
    _check(config, "distillation", is_target, f"with 'targets' out of {list(TARGETS)}")
    learns = bool(given) or targets != "labels"
    _check(config, "distillation", learns, "with 'gamma' where targets are the labels")
    is_alone = not (given and config.restriction)
    _check(config, "distillation", is_alone, "without 'gamma' beside a restriction")
    irnet.distillation.RepresentationAlignment(**given)


def _check_restriction(config: TrainConfig) -> None:
    given = config.restriction
    if not given:
        return
    unknown = sorted(set(given) - _RESTRICTION)
    known = f"out of {sorted(_RESTRICTION)}"
    _check(config, "restriction", not unknown, known)
    is_named = isinstance(given.get("layer"), str)
    _check(config, "restriction", is_named, "with the name of a 'layer'")
    check_restriction(**{k: v for k, v in given.items() if k != "layer"})


def _check_diagnostics(config: TrainConfig) -> None:
    if not config.diagnostics:
        return
    check_diagnostics(config.diagnostics)
    is_binary = config.method != "float"
    _check(config, "diagnostics", is_binary, "empty for a network in full precision")


def _check_length(config: TrainConfig) -> None:
    dataset = datasets.get(
        config.dataset,
        statistics=config.statistics,
        augmentation=config.augmentation,
    )
    train_size = dataset.size("train")
    is_batch = 1 <= config.batch_size <= train_size
    _check(config, "epochs", config.epochs >= 1, "at least 1")
    _check(config, "batch_size", is_batch, f"in [1, {train_size}]")
    _check(config, "seed", 0 <= config.seed < 2**31, "in [0, 2^31)")
    _check(
        config,
        "steps_per_epoch",
        config.steps_per_epoch is None or config.steps_per_epoch >= 1,
        "None or at least 1",
    )


def _check_learning_rate(config: TrainConfig) -> None:
    is_positive = 0 < config.learning_rate < math.inf
    _check(config, "learning_rate", is_positive, "positive")
    for name in ("warmup_epochs", "warmup_learning_rate"):
        number = getattr(config, name)
        _check(config, name, 0 <= number < math.inf, "0 or positive")
    _check(
        config,
        "decay_epochs",
        bool(config.decay_epochs) == (config.learning_rate_schedule == "step")
        and list(config.decay_epochs) == sorted(set(config.decay_epochs))
        and all(0 < epoch < config.epochs for epoch in config.decay_epochs),
        f"growing numbers below the {config.epochs} epochs for the schedule 'step' "
        "and empty for others",
    )
    is_shorter = config.warmup_epochs < config.epochs
    _check(config, "warmup_epochs", is_shorter, f"below the {config.epochs} epochs")
    if config.learning_rate_schedule == "warmup_cosine":
        is_zero = config.warmup_learning_rate == 0
        _check(config, "warmup_learning_rate", is_zero, "0 with 'warmup_cosine'")


def _check_adam(config: TrainConfig) -> None:
    if config.optimizer == "adam":
        expected = "0 with adam, Keras' own (torch_adam has it)"
        _check(config, "weight_decay", config.weight_decay == 0, expected)
    default = type(config).momentum
    is_default = config.momentum == default
    expected = f"{default}, its default, with {config.optimizer}, which has none"
    _check(config, "momentum", is_default, expected)
    expected = f"False with {config.optimizer}"
    _check(config, "nesterov", not config.nesterov, expected)


def _check_optimizer(config: TrainConfig) -> None:
    is_decay = 0 <= config.weight_decay < math.inf
    _check(config, "weight_decay", is_decay, "0 or positive")
    check_decayed_weights(config.decayed_weights)
    _check(config, "momentum", 0 <= config.momentum < 1, "in [0, 1)")
    has_momentum = not config.nesterov or config.momentum > 0
    _check(config, "nesterov", has_momentum, "with momentum")
    if config.optimizer != "sgd":
        _check_adam(config)
    decays = config.weight_decay > 0 or config.decayed_weights == ".*"
    _check(config, "decayed_weights", decays, "'.*' without weight decay")
    _check(
        config,
        "gradient_accumulation_steps",
        config.gradient_accumulation_steps == 1,
        "1, because batch normalisation would see the parts of a batch and the run "
        "would be another one (spread the batch over replicas with --strategy and "
        "--synchronized_batch_norm, or save memory with --precision)",
    )
