"""ReCU's ResNet-20 on scikit-learn's digits, with Adam.

Learning rate and initial scale of normalisations were chosen on the validation images
out of five rates and two scales, then one more change out of five, as many as for every
method (`docs/results.md`).
Padded with ones: the last stage sees 2x2 pixels, where Larq Compute Engine computes
zero padding wrongly (see `tflite_export.lint`).

    python -m zoo.train --recipe=recu_resnet20_digits --workdir=runs/example

takes about a minute on two CPU cores. `python -m zoo.compare --seeds=3` printed the
accuracy of `RECIPE`, the mean of three seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_resnet20_digits",
    config=TrainConfig(
        network="ResNet20",
        network_options={"bn_gamma": "uniform"},
        method="recu",
        dataset="digits",
        epochs=40,
        batch_size=32,
        optimizer="torch_adam",
        learning_rate=0.01,
        weight_decay=1e-4,
        pad_values=1.0,
    ),
    test_accuracy=0.9858,
    reference="https://arxiv.org/abs/2103.12369",
)
