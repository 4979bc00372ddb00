"""The 1,797 handwritten digits that come with scikit-learn: real images, no download.

8x8 grey images of the UCI "Optical Recognition of Handwritten Digits" test set. The
split is fixed and stratified: 1,197 for training, 200 for choices (validation) and 400
that nothing is chosen by (test).
"""

import numpy as np

from zoo.datasets.image_dataset import Split
from zoo.datasets.in_memory_dataset import InMemoryDataset

__all__ = ["Digits", "digit_splits"]

_SPLIT_SEED = 1797
_SIZES = {"train": 1_197, "validation": 200, "test": 400}
_SHAPE = (8, 8, 1)
_WHITE = 16.0  # largest pixel value


def digit_splits() -> dict[str, Split]:
    """The ink of the digits, float32 [N, 8, 8, 1] in [0, 1], and their classes.

    # Raises
        ImportError: if scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
        from sklearn.model_selection import train_test_split
    except ImportError as error:
        raise ImportError(
            "Expected scikit-learn for the digits, found none. Run "
            "`pip install 'larq-irnet[zoo]'`."
        ) from error

    pixels, labels = load_digits(return_X_y=True)
    images = (pixels / _WHITE).astype(np.float32).reshape(-1, *_SHAPE)
    indices = {"train": np.arange(len(labels))}
    for split in ("test", "validation"):
        indices["train"], indices[split] = train_test_split(
            indices["train"],
            test_size=_SIZES[split],
            stratify=labels[indices["train"]],
            random_state=_SPLIT_SEED,
        )
    return {
        split: Split(images[chosen], labels[chosen])
        for split, chosen in indices.items()
    }


class Digits(InMemoryDataset):
    """scikit-learn's digits, with mean 0 and deviation 1 over the training pixels.

    # Arguments
        data_dir: Not used: the images come with scikit-learn.
        statistics: Must be `None`: the digits have means and deviations of their own.

    # Raises
        ValueError: if `statistics` is given.

    # Example
        >>> digits = Digits()
        >>> [digits.size(split) for split in ("train", "validation", "test")]
        [1197, 200, 400]
        >>> digits.arrays("train").images.shape
        (1197, 8, 8, 1)

    # References
        - [UCI machine learning repository, data set
            80](https://archive.ics.uci.edu/dataset/80)
    """

    name = "digits"
    input_shape = _SHAPE
    num_classes = 10

    def __init__(
        self, *, data_dir: str | None = None, statistics: str | None = None
    ) -> None:
        super().__init__()
        if statistics is not None:
            raise ValueError(
                "Expected `statistics` of digits to be None, because they are "
                f"normalised by their own, got {statistics!r}."
            )

    def size(self, split: str) -> int:  # without scikit-learn, which loads slowly
        self.check_split(split)
        return _SIZES[split]

    def check_prepared(self) -> None:
        digit_splits()

    def load(self) -> dict[str, Split]:
        splits = digit_splits()
        train = splits["train"].images
        mean, deviation = train.mean(), train.std()
        return {
            split: Split((images - mean) / deviation, labels)
            for split, (images, labels) in splits.items()
        }
