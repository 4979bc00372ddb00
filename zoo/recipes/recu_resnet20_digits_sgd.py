"""ReCU's ResNet-20 on scikit-learn's digits, with plain SGD.

The optimiser family of the paper, shortened to twenty epochs, without its warm-up and
weight decay.

    python -m zoo.train --recipe=recu_resnet20_digits_sgd --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --threads=0
--recipes=recu_resnet20_digits_sgd` printed the accuracy of `RECIPE`, the mean of three
seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_resnet20_digits_sgd",
    config=TrainConfig(
        network="ResNet20",
        method="recu",
        dataset="digits",
        epochs=20,
        batch_size=64,
        optimizer="sgd",
        learning_rate=0.1,
        pad_values=1.0,
    ),
    test_accuracy=0.9242,
    reference="https://arxiv.org/abs/2103.12369",
)
