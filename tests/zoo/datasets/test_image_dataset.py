import dataclasses

import pytest

from zoo.datasets import Shard


def test_one_shard_is_the_default():
    assert Shard() == Shard(index=0, count=1)
    assert Shard().local_batch_size(7) == 7


def test_shards_share_a_batch_equally():
    assert [Shard(index, 4).local_batch_size(128) for index in range(4)] == 4 * [32]


@pytest.mark.parametrize("index, count", [(1, 1), (-1, 2), (4, 4), (0, 0)])
def test_no_such_shard(index, count):
    message = rf"Expected `index` to be in \[0, {count}\), got {index}"
    with pytest.raises(ValueError, match=message):
        Shard(index, count)


def test_shards_are_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Shard().index = 1  # type: ignore[misc]
