"""Digits in scenes: a harder data set that needs no download, made of real digits.

Each image is 32x32 pixels in colour and shows one whole handwritten digit of
scikit-learn, turned, scaled and coloured, on a texture, among fragments of other digits
and under noise: `zoo.datasets.scene_composition` says what is drawn from what
distribution. Only the digits are real; the rest is made by a seeded recipe, so results
on it compare methods with each other, and nothing that was published.

Scenes of each split are made of the digits of that split in the data set "digits":
10,000 to train on from 1,197 digits, 2,000 to choose on from 200, 4,000 to test on from
400.
"""

import tensorflow as tf

from zoo.datasets.crop_and_flip import crop_and_flip
from zoo.datasets.digits import digit_splits
from zoo.datasets.image_dataset import SPLITS, Split
from zoo.datasets.in_memory_dataset import InMemoryDataset
from zoo.datasets.scene_composition import SIDE, compose_scenes
from zoo.datasets.statistics import channel_statistics
from zoo.setting_types import is_of_type

__all__ = ["DigitScenes"]

_SEED = 3232
_SIZES = {"train": 10_000, "validation": 2_000, "test": 4_000}
_WHITE = 255.0  # largest pixel value
_LARGEST_SHIFT = SIDE // 2
_NOT_FLIPPED = 1.0  # what `crop_and_flip` does not flip for


class DigitScenes(InMemoryDataset):
    """Digits in colour scenes of 32x32 pixels, made in seconds when first needed.

    The same on every machine and in every process. Training images are shifted by a few
    pixels, with black where nothing is, and never mirrored. They are normalised with
    mean and deviation of the training scenes, by default.

    # Arguments
        data_dir: Not used: the digits come with scikit-learn.
        statistics: Name of the means and deviations to normalise with; `None` for
            "digit_scenes".
        shift: How many pixels training images are shifted at most, each way; 0 leaves
            them where they are.

    # Raises
        ValueError: for unknown statistics, or a `shift` that is not in [0, 16].

    # Example
        >>> scenes = DigitScenes()  # makes none yet
        >>> [scenes.size(split) for split in ("train", "validation", "test")]
        [10000, 2000, 4000]
        >>> scenes.input_shape, scenes.num_classes
        ((32, 32, 3), 10)

    # References
        - [UCI machine learning repository, data set
            80](https://archive.ics.uci.edu/dataset/80), the digits
        - [Recurrent Models of Visual Attention](https://arxiv.org/abs/1406.6247),
            Section 4.1, the idea of clutter from parts of other digits
    """

    name = "digit_scenes"
    input_shape = (SIDE, SIDE, 3)
    num_classes = 10
    draws_per_image = 2  # of the row, of the column

    def __init__(
        self,
        *,
        data_dir: str | None = None,
        statistics: str | None = None,
        shift: int = 2,
    ) -> None:
        super().__init__()
        if not is_of_type(shift, int) or not 0 <= shift <= _LARGEST_SHIFT:
            raise ValueError(
                f"Expected `shift` to be pixels in [0, {_LARGEST_SHIFT}], got "
                f"{shift!r}."
            )
        self._statistics = channel_statistics(statistics or self.name)
        self._shift = shift

    def size(self, split: str) -> int:
        self.check_split(split)
        return _SIZES[split]

    def check_prepared(self) -> None:
        digit_splits()

    def load(self) -> dict[str, Split]:
        digits = digit_splits()
        return {
            split: compose_scenes(digits[split], _SIZES[split], seed=[_SEED, number])
            for number, split in enumerate(SPLITS)
        }

    def preprocess(self, images: tf.Tensor) -> tf.Tensor:
        return self._statistics.normalise(tf.cast(images, tf.float32) / _WHITE)

    def augment(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        draws = tf.pad(draws, ((0, 0), (0, 1)), constant_values=_NOT_FLIPPED)
        return self.preprocess(crop_and_flip(images, draws, padding=self._shift))
