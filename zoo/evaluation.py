"""Loss and accuracy on one split."""

import tensorflow as tf

from zoo import datasets
from zoo.train_config import TrainConfig

__all__ = ["dataset_of", "evaluate", "evaluation_batches"]

_BATCH_SIZE = 200


def dataset_of(config: TrainConfig, data_dir: str | None) -> datasets.ImageDataset:
    """The dataset of a configuration, with its statistics and augmentation.

    # Arguments
        config: Tells the dataset.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
    """
    return datasets.get(
        config.dataset,
        data_dir=data_dir,
        statistics=config.statistics,
        augmentation=config.augmentation,
    )


def evaluation_batches(dataset: datasets.ImageDataset, split: str) -> tf.data.Dataset:
    """A split once; where workers share it, each takes its part of every batch."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    batches = dataset.evaluation_batches(split, batch_size=_BATCH_SIZE)
    return batches.with_options(options)


def evaluate(
    model: tf.keras.Model,
    config: TrainConfig,
    split: str,
    *,
    data_dir: str | None = None,
) -> dict[str, float]:
    """Loss and top-1 accuracy on one split, top-5 too with 100 classes or more.

    # Arguments
        model: A model compiled by `compile_for`.
        config: Tells the dataset.
        split: "train", "validation" or "test".
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
    """
    batches = evaluation_batches(dataset_of(config, data_dir), split)
    return model.evaluate(batches, return_dict=True, verbose=0)
