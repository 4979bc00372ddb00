"""The network that a run learns from, if its configuration names one."""

from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from zoo import datasets, models
from zoo.pretrained import load_pretrained
from zoo.train_config import UNTRAINED, TrainConfig

__all__ = ["with_teacher"]

_ADVICE = (  # if its weights are missing
    "For a ResNet-34 of ImageNet, put torchvision's resnet34-b627a593.pth, from "
    "https://download.pytorch.org/models, there."
)


def _build(config: TrainConfig) -> tf.keras.Model:
    dataset = datasets.get(config.dataset)
    options: dict[str, Any] = {"alignment": config.alignment, **config.teacher}
    network = options.pop("network")
    return models.get(network)(
        "float",
        input_shape=dataset.input_shape,
        num_classes=dataset.num_classes,
        name="teacher",
        **options,
    )


def _check_is_float(source: tf.keras.Model) -> None:
    binary = [kernel.name for kernel in irnet.diagnostics.binary_kernels(source)]
    quantized = [
        layer.name
        for layer in source.submodules
        if getattr(layer, "input_quantizer", None) is not None
    ]
    if binary or quantized:
        what = "binary kernels" if binary else "quantized inputs"
        raise ValueError(
            "Expected a teacher in full precision, got `teacher_weights` of "
            f"{source.name!r} with {what} in {(binary or quantized)[0]!r}."
        )


def with_teacher(network: tf.keras.Model, config: TrainConfig) -> tf.keras.Model:
    """What is trained: the network itself, or together with its teacher.

    # Arguments
        network: Of the configuration.
        config: Tells the teacher and where its weights are.

    # Returns
        `network`, or a `larq_irnet.distillation.Distiller` around it.

    # Raises
        ValueError: if the teacher's weights are missing or damaged, or are those of
            another network or of one that is not in full precision.
    """
    if not config.teacher:
        return network
    teacher = _build(config)
    if config.teacher_weights != UNTRAINED:
        load_pretrained(
            teacher,
            config.teacher_weights,
            setting="teacher_weights",
            advice=_ADVICE,
            check_source=_check_is_float,
        )
    options = dict(config.distillation)
    targets = options.pop("targets", irnet.distillation.TARGETS[0])
    alignment = irnet.distillation.RepresentationAlignment(**options)
    return irnet.distillation.Distiller(
        network, teacher, targets=targets, alignment=alignment if options else None
    )
