"""DIR-Net's ResNet-20 on scikit-learn's digits, with Adam and a teacher.

The teacher is the float twin; the features of all binary convolutions are aligned with
its features (RBD), next to the labels. Train it first:

    python -m zoo.train --recipe=float_resnet20_digits --workdir=runs/float
    python -m zoo.train --recipe=dirnet_resnet20_digits_rbd --workdir=runs/example

The second one takes about two minutes on two CPU cores. The settings are those of
`dirnet_resnet20_digits`; gamma was chosen on the validation images out of 0.01, 0.1 and
1. Padded with ones: the last stage sees 2x2 pixels, where Larq Compute Engine computes
zero padding wrongly (see `tflite_export.lint`).

`python -m zoo.compare --recipes=dirnet_resnet20_digits_rbd` printed the accuracy of
`RECIPE`, the mean of three seeds, all with the teacher of seed 0.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="dirnet_resnet20_digits_rbd",
    config=TrainConfig(
        network="ResNet20",
        network_options={"bn_gamma": "uniform"},
        method="dirnet",
        estimator={"t_min": 0.01},
        teacher={"network": "ResNet20"},
        teacher_weights="runs/float",
        distillation={"targets": "labels", "gamma": 0.1},
        dataset="digits",
        epochs=40,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.03,
        pad_values=1.0,
    ),
    test_accuracy=0.9883,
    reference="https://arxiv.org/abs/2109.12338",
)
