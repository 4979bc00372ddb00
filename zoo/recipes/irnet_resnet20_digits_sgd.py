"""IR-Net's ResNet-20 on scikit-learn's digits, with plain SGD.

The optimiser family of the paper, shortened to twenty epochs.
Run it: `python -m zoo.train --recipe=irnet_resnet20_digits_sgd --workdir=runs/irnet_resnet20_digits_sgd`
Time: about a minute on two CPU cores. Accuracy: `RECIPE.test_accuracy`, mean of three
seeds, printed by `python -m zoo.compare --recipes=irnet_resnet20_digits_sgd --seeds=3`.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_resnet20_digits_sgd",
    config=TrainConfig(
        network="ResNet20",
        method="irnet",
        dataset="digits",
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.1,
        pad_values=1.0,
    ),
    reference="https://arxiv.org/abs/1909.10788",
)
