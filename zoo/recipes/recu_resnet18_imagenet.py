r"""ReCU's ResNet-18 with Bi-Real blocks on ImageNet, W1A1.

200 epochs of SGD: warm-up over five epochs, then cosine decay per epoch. Weight decay
is 1e-4 (the paper says 5e-4, the authors' command 1e-4) and leaves normalisations and
the 1x1 convolutions of the shortcuts alone. Images are cut from 8 to 125 % of the area,
without changes of colour: the authors' lighting noise is made for values up to 1 but
added to values up to 255. Scales of all normalisations but the last start at 1e-8: at
first features are tiny and only their signs count. float16 does not hold such numbers.

    python -m zoo.train --recipe=recu_resnet18_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

The paper reports 61.0 / 82.6 % top-1 / top-5 (the authors' README also
61.20 / 82.93 %, with a finetuning that they do not describe); this project has not run
it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_resnet18_imagenet",
    config=TrainConfig(
        network="ResNet18",
        network_options={"block": "bi_real", "bn_gamma": "near_zero"},
        method="recu",
        estimator={"tau_min": 0.85, "tau_max": 0.99, "b_star": 2.0},
        dataset="imagenet2012",
        statistics="imagenet",
        augmentation={"scale": (0.08, 1.25), "jitter": None},
        epochs=200,
        batch_size=512,
        optimizer="sgd",
        learning_rate=0.1,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=5.0,
        momentum=0.9,
        weight_decay=1e-4,
        decayed_weights=r"stem_conv/.*|stage\d_block\d_conv\d(_scale)?/.*|logits/.*",
        alignment="torch",
    ),
    published_accuracy=0.61,
    reference="https://arxiv.org/abs/2103.12369",
)
