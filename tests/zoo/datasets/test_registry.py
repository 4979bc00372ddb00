import pytest

from zoo import datasets


def test_names():
    assert datasets.names() == ["digits"]


@pytest.mark.parametrize("name", datasets.names())
def test_datasets_describe_themselves(name):
    dataset = datasets.get(name)
    assert dataset.name == name
    assert dataset is datasets.get(name)
    images, labels = dataset.arrays("validation")
    assert images.shape[1:] == dataset.input_shape
    assert set(labels) == set(range(dataset.num_classes))


@pytest.mark.parametrize("name", ["mnist", "", "Digits"])
def test_unknown_dataset(name):
    message = rf"Expected a dataset out of \['digits'\], got '{name}'"
    with pytest.raises(ValueError, match=message):
        datasets.get(name)
