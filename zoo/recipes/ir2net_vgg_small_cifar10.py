"""IR2Net's VGG-Small on CIFAR-10, W1A1.

400 epochs of SGD with cosine decay per epoch and coupled weight decay on all
parameters. Every step has a second pass, of images without the pixels that the last
binary stage does not attend to; the features of the first and the last convolution
are fused in front of the classifier.

    python -m zoo.train --recipe=ir2net_vgg_small_cifar10 --workdir=...

`--set=restriction={}` trains without the second pass,
`--set=network_options.recovery=none` without the fusion.

The authors report 91.5 %, in their README; this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net_vgg_small_cifar10",
    config=TrainConfig(
        network="VGGSmall",
        network_options={"recovery": "ir2net"},
        method="ir2net",
        restriction={
            "layer": "conv5_act",
            "threshold": 0.15,
            "normalize": "column",
            "statistics": "both",
        },
        dataset="cifar10",
        statistics="imagenet",
        epochs=400,
        batch_size=128,
        optimizer="sgd",
        learning_rate=0.08,
        momentum=0.9,
        weight_decay=1e-4,
        alignment="torch",
    ),
    published_accuracy=0.915,
    reference="https://arxiv.org/abs/2210.02637",
)
