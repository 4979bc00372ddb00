"""ReCU's ResNet-18 with normal blocks on CIFAR-10, W1A1.

600 epochs of SGD: warm-up over five epochs, then cosine decay per epoch, coupled weight
decay on all parameters, channel scales included. Normalisations start from scales that
are uniform in [0, 1), as PyTorch 1.1.0 had it. The paper speaks of two shortcuts in a
block; the code, and this recipe, have one.

    python -m zoo.train --recipe=recu_resnet18_cifar10 --workdir=...

The paper reports 92.8 % (the authors' README also 93.2 %, with a finetuning that they
do not describe); this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_resnet18_cifar10",
    config=TrainConfig(
        network="CifarResNet18",
        network_options={"shortcut": "average_pool", "bn_gamma": "uniform"},
        method="recu",
        estimator={"tau_min": 0.85, "tau_max": 0.99, "b_star": 2.0},
        dataset="cifar10",
        statistics="imagenet",
        epochs=600,
        batch_size=256,
        optimizer="sgd",
        learning_rate=0.1,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=5.0,
        momentum=0.9,
        weight_decay=5e-4,
        alignment="torch",
    ),
    published_accuracy=0.928,
    reference="https://arxiv.org/abs/2103.12369",
)
