"""zoo: published binary networks, datasets, recipes and their training."""

import larq_irnet  # noqa: F401  (makes sure of legacy Keras before TensorFlow loads)
from zoo import datasets, models, recipes, training
from zoo.models import ResNet20

__all__ = ["ResNet20", "datasets", "models", "recipes", "training"]
