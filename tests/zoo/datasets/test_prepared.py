import re
import shutil
import sys

import pytest
import tensorflow_datasets as tfds

from tests.zoo.datasets.prepared_files import (
    TINY_DATASETS,
    TRAIN_SIZE,
    TinyCifar10,
    TinyImagenet2012,
    prepare,
)
from zoo.datasets import Cifar10, DatasetNotPrepared, Imagenet2012

INFO = "dataset_info.json"


@pytest.fixture
def folder(tmp_path):
    """Prepared files of CIFAR-10 that a test may damage."""
    return prepare(TinyCifar10, tmp_path)


def message_of(dataset):
    with pytest.raises(DatasetNotPrepared) as error:
        dataset.check_prepared()
    return str(error.value)


@pytest.mark.parametrize("dataset_class", TINY_DATASETS)
def test_nothing_there(dataset_class, tmp_path):
    root, name = tmp_path / "no where", dataset_class.name
    message = message_of(dataset_class(data_dir=str(root)))
    assert message.startswith(f"Expected {name} in the data_dir {root}, found nothing")
    assert f"or `tfds build {name} --data_dir='{root}'`." in message
    assert not root.exists()


@pytest.mark.parametrize("dataset_class", TINY_DATASETS)
def test_the_command_in_the_message_prepares_that_dataset(
    dataset_class, tmp_path, monkeypatch
):
    message = message_of(dataset_class(data_dir=str(tmp_path)))
    (code,) = re.findall(r"`python -c \"(.*)\"`", message)
    prepared = []
    monkeypatch.setattr(
        tfds.core.DatasetBuilder,
        "download_and_prepare",
        lambda builder: prepared.append((builder.name, builder.data_dir_root)),
    )
    exec(code, {})
    assert prepared == [(dataset_class.name, tmp_path)]


def test_imagenet_needs_files_that_cannot_be_downloaded(tmp_path):
    message = message_of(Imagenet2012(data_dir=str(tmp_path)))
    assert "ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar" in message
    assert message.endswith(f"into {tmp_path}/downloads/manual.")


def test_without_data_dir_the_default_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    assert f"--data_dir={tmp_path}`" in message_of(Cifar10())


def test_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert f"the data_dir {tmp_path}/data," in message_of(Cifar10(data_dir="~/data"))


@pytest.mark.parametrize("content", ["", "{broken", "{}", "[1]"])
def test_damaged_description(folder, tmp_path, content):
    (folder / INFO).write_text(content)
    assert "found a damaged dataset_info.json. Remove" in message_of(
        TinyCifar10(data_dir=str(tmp_path))
    )


def test_no_description(folder, tmp_path):
    (folder / INFO).unlink()
    assert f"found nothing prepared in {folder}" in message_of(
        TinyCifar10(data_dir=str(tmp_path))
    )


def test_another_version(folder, tmp_path):
    folder.rename(folder.with_name("1.0.0"))
    assert "found nothing prepared" in message_of(TinyCifar10(data_dir=str(tmp_path)))


@pytest.mark.parametrize("index", [0, 5])
def test_missing_file(folder, tmp_path, index):
    path = folder / f"cifar10-train.tfrecord-{index:05}"
    path.unlink()
    assert f"found no {path}" in message_of(TinyCifar10(data_dir=str(tmp_path)))


def test_too_few_images(data_dir):
    message = message_of(Cifar10(data_dir=data_dir))
    assert "found 40 train images instead of 50000" in message


def test_missing_split(tmp_path):
    class OnlyTrain(TinyImagenet2012):
        published_sizes = {"train": TRAIN_SIZE}

    folder = prepare(OnlyTrain, tmp_path)
    message = message_of(TinyImagenet2012(data_dir=str(tmp_path)))
    assert f"found no validation images in {folder}" in message


@pytest.mark.parametrize("content", [b"", b"no records at all"])
def test_damaged_records_are_noticed_when_they_are_read(folder, tmp_path, content):
    (folder / "cifar10-test.tfrecord-00001").write_bytes(content)
    dataset = TinyCifar10(data_dir=str(tmp_path))
    dataset.check_prepared()
    with pytest.raises(DatasetNotPrepared, match="found damaged files. Remove"):
        dataset.arrays("train")


@pytest.mark.parametrize("dataset_class", TINY_DATASETS)
def test_reading_checks_first(dataset_class, tmp_path):
    dataset = dataset_class(data_dir=str(tmp_path))
    with pytest.raises(DatasetNotPrepared, match="tfds build"):
        dataset.arrays("test")
    with pytest.raises(DatasetNotPrepared, match="tfds build"):
        dataset.evaluation_batches("test", batch_size=2)
    with pytest.raises(DatasetNotPrepared, match="tfds build"):
        dataset.training_batches(batch_size=2, steps=1, seed=0, epochs=range(1))


def test_once_prepared_the_same_object_reads(tmp_path):
    dataset = TinyCifar10(data_dir=str(tmp_path))
    message_of(dataset)
    shutil.rmtree(tmp_path)
    prepare(TinyCifar10, tmp_path)
    assert len(dataset.arrays("test").labels) == dataset.size("test")


def test_without_tensorflow_datasets(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match=r"pip install 'larq-irnet\[zoo\]'"):
        Cifar10().check_prepared()


def test_it_is_a_value_error():
    assert issubclass(DatasetNotPrepared, ValueError)
