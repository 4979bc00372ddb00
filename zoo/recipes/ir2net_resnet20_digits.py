"""IR2Net's ResNet-20 on scikit-learn's digits, with Adam.

Learning rate and initial scale of normalisations were chosen on the validation images
out of five rates and two scales, then one more change out of five, as many as for every
method (`docs/results.md`); before that, layer and threshold of the restriction out of
six pairs. The last features are 2x2 pixels of nearly equal strength: in the finished
networks neither the authors' threshold of 0.15 nor this one erases a pixel, and the
second pass sees the whole image again. This pair, as good on the validation images,
does erase some:

    --set=restriction.layer=stage1_block3_conv2_act --set=restriction.threshold=0.75

Padded with ones: the last stage sees 2x2 pixels, where Larq Compute Engine computes
zero padding wrongly (see `tflite_export.lint`).

    python -m zoo.train --recipe=ir2net_resnet20_digits --workdir=runs/example

takes about two minutes on two CPU cores. `python -m zoo.compare --seeds=3` printed the
accuracy of `RECIPE`, the mean of three seeds.
"""

from zoo.recipes.recipe import Recipe
from zoo.train_config import TrainConfig

__all__ = ["RECIPE"]

RECIPE = Recipe(
    name="ir2net_resnet20_digits",
    config=TrainConfig(
        network="ResNet20",
        network_options={"bn_gamma": "uniform"},
        method="ir2net",
        restriction={"layer": "stage3_block3_conv2_act", "threshold": 0.95},
        dataset="digits",
        epochs=40,
        batch_size=32,
        optimizer="adam",
        learning_rate=0.03,
        warmup_epochs=4,
        pad_values=1.0,
    ),
    test_accuracy=0.9842,
    reference="https://arxiv.org/abs/2210.02637",
)
