r"""IR-Net's ResNet-18 with Bi-Real blocks on ImageNet, W1A1.

62,500 iterations of 2,048 images (100 epochs): Nesterov SGD, warm-up from 0.2 to 0.8
over 2,500 iterations, a tenth after 18,750, 37,500 and 56,250. Weight decay is 1e-5 for
this network only. EDE moves with every iteration (the authors refresh it every tenth),
T_min is 0.1 in paper and trainer.

    python -m zoo.train --recipe=irnet_resnet18_imagenet --workdir=... \
        --data_dir=... --strategy=multi_worker

The paper reports 58.1 / 80.0 % top-1 / top-5, on 32 GTX 1080 Ti with 64 images each and
batch statistics of each GPU's own images; this project has not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="irnet_resnet18_imagenet",
    config=TrainConfig(
        network="ResNet18",
        network_options={"block": "bi_real", "bn_gamma": "uniform"},
        method="irnet",
        estimator={"t_min": 0.1, "t_max": 10.0},
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
        alignment="torch",
    ),
    published_accuracy=0.581,
    reference="https://arxiv.org/abs/1909.10788",
)
