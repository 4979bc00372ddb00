"""zoo: published binary networks, datasets, recipes and their training."""

import larq_irnet  # noqa: F401  (makes sure of legacy Keras before TensorFlow loads)
from zoo import datasets, models, recipes, torch_import, training
from zoo.models import (
    DARTS,
    CifarResNet18,
    EfficientNetB0,
    IR2Net18,
    MobileNetV1,
    ReActNet18,
    ResNet18,
    ResNet20,
    ResNet34,
    VGGSmall,
)

__all__ = [
    "CifarResNet18",
    "DARTS",
    "EfficientNetB0",
    "IR2Net18",
    "MobileNetV1",
    "ReActNet18",
    "ResNet18",
    "ResNet20",
    "ResNet34",
    "VGGSmall",
    "datasets",
    "models",
    "recipes",
    "torch_import",
    "training",
]
