r"""ReCU's ResNet-18 in the manner of ReActNet on ImageNet, second of two stages: W1A1.

256 epochs of Adam from the weights of `recu_reactnet18_stage1_imagenet`, whose header
tells about the first stage and the teacher: the logits of torchvision's ResNet-34 in
place of labels. Warm-up over five epochs, then cosine decay per epoch (the authors'
command asks for a linear decay first and for the cosine after it, which counts); no
weight decay. Images are cut from 8 to 125 % of the area, without changes of colour:
the authors' lighting noise is made for values up to 1 but added to values up to 255.

    python -m zoo.train --recipe=recu_reactnet18_imagenet --workdir=... \
        --data_dir=... --strategy=mirrored

`--set=initial_weights=...` and `--set=teacher_weights=...` name other places of the
first stage and of the teacher. Empty, `--set=initial_weights=` trains without the first
stage, and `--set=teacher={} --set=teacher_weights=` with labels in place of a teacher.

The authors report 66.4 % top-1, in their README and not in the paper; this project has
not run it to its end.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="recu_reactnet18_imagenet",
    config=TrainConfig(
        network="ReActNet18",
        method="recu",
        estimator={"tau_min": 0.85, "tau_max": 0.99, "b_star": 2.0},
        initial_weights="runs/recu_reactnet18_stage1_imagenet",
        teacher={"network": "ResNet34", "block": "normal", "head_norm": False},
        teacher_weights="runs/resnet34-b627a593.pth",
        dataset="imagenet2012",
        statistics="imagenet",
        augmentation={"scale": (0.08, 1.25), "jitter": None},
        epochs=256,
        batch_size=512,
        optimizer="adam",
        learning_rate=1e-3,
        learning_rate_schedule="warmup_cosine",
        warmup_epochs=5.0,
        alignment="torch",
    ),
    published_accuracy=0.664,
    reference="https://arxiv.org/abs/2103.12369",
)
