r"""DIR-Net in MobileNetV1 on ImageNet, W1A1.

DIR-Net's paper has results of MobileNet, but its code is not public and how it was
trained is not known to us. The schedule is ours: it is that of IR-Net's ResNet-18 on
the same images, 62,500 iterations of 2,048 images (100 epochs) of Nesterov SGD, warm-up
from 0.2 to 0.8 over 2,500 iterations, a tenth after 18,750, 37,500 and 56,250, weight
decay 1e-5; the estimator moves with every iteration.

    python -m zoo.train --recipe=dirnet_mobilenet_v1_imagenet --workdir=... \
        --data_dir=... --strategy=multi_worker

No accuracy is claimed; this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="dirnet_mobilenet_v1_imagenet",
    config=TrainConfig(
        network="MobileNetV1",
        method="dirnet",
        estimator_update_freq="batch",
        dataset="imagenet2012",
        statistics="imagenet",
        epochs=100,
        batch_size=2048,
        optimizer="sgd",
        learning_rate=0.8,
        learning_rate_schedule="step",
        warmup_epochs=4.0,
        warmup_learning_rate=0.2,
        decay_epochs=(30.0, 60.0, 90.0),
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-5,
    ),
    reference="https://arxiv.org/abs/2109.12338",
)
