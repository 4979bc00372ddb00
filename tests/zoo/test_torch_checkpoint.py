"""Which files give a state dict, and that none of them runs code."""

import os
import pickle
import sys
import zipfile

import pytest
import torch

from zoo.torch_import import read_checkpoint

STATE = {"conv1.weight": torch.arange(3.0), "bn1.num_batches_tracked": torch.tensor(2)}


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def recu_checkpoint(state):
    """What ReCU's trainer saves at the end of an epoch."""
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=596)
    weight.sum().backward()
    optimizer.step()
    scheduler.step()
    assert optimizer.state_dict()["state"]  # momentum
    return {
        "epoch": 1,
        "model": "resnet20",
        "state_dict": state,
        "best_prec1": 87.4,
        "best_prec5": 99.4,
        "optimizer": optimizer.state_dict(),
        "lr_scheduler": scheduler.state_dict(),
    }


def write(path, content, **arguments):
    torch.save(content, path, **arguments)
    return path


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def save(request, tmp_path):
    """Writes in today's format, or in that of PyTorch 0.4.1."""
    return lambda content: write(
        tmp_path / "model.th",
        content,
        _use_new_zipfile_serialization=request.param,
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "best_prec1": 86.5},
        lambda state: {"net": state, "acc": 91.5, "epoch": 399},
        lambda state: {"epoch": torch.tensor(1), "state_dict": state},
        recu_checkpoint,
    ],
    ids=["bare", "state_dict", "net", "beside another tensor", "ReCU's"],
)
def test_forms_of_a_checkpoint(save, wrap):
    state = read_checkpoint(save(wrap(STATE)))
    assert list(state) == list(STATE)
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)


def test_a_path_may_be_a_string(save):
    assert list(read_checkpoint(str(save(STATE)))) == list(STATE)


def refused(path):
    with pytest.raises(ValueError) as error:
        read_checkpoint(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_code_is_refused_and_not_run(save, tmp_path):
    made = tmp_path / "made"
    message = refused(save({"state_dict": STATE, "extra": Malicious(made)}))
    assert f"a file that calls {os.mkdir.__module__}.mkdir" in message
    assert "it was not run" in message
    assert not made.exists()


def test_a_plain_pickle_of_code_is_refused_and_not_run(tmp_path):
    path, made = tmp_path / "model.pkl", tmp_path / "made"
    path.write_bytes(pickle.dumps(Malicious(made), protocol=2))
    assert "it was not run" in refused(path)
    assert not made.exists()
    pickle.loads(path.read_bytes())
    assert made.is_dir()  # a reader that trusts files does run it


def test_a_whole_network_is_refused(save):
    message = refused(save(torch.nn.Linear(2, 2)))
    assert "torch.nn.modules.linear.Linear" in message
    assert "save the state dict of its network" in message


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file(save, share):
    path = save({"state_dict": {"weight": torch.zeros(1000)}})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "which is none, or cut off or damaged" in refused(path)


@pytest.mark.parametrize(
    "content", [b"hello there\n", b"<!DOCTYPE html>\n", b"\x00" * 100, b"\x93NUMPY\x01"]
)
def test_another_file(tmp_path, content):
    path = tmp_path / "model.th"
    path.write_bytes(content)
    assert "Expected a PyTorch checkpoint, got" in refused(path)


def test_another_archive(tmp_path):
    path = tmp_path / "model.th"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "Expected a PyTorch checkpoint, got" in refused(path)


def test_a_missing_file(tmp_path):
    assert "No such file or directory" in refused(tmp_path / "none.th")


def test_a_folder(tmp_path):
    assert "Is a directory" in refused(tmp_path)


@pytest.mark.parametrize(
    "content, found",
    [
        ({"epoch": 3, "acc": 91.5}, "the keys ['epoch', 'acc']"),
        ({"state_dict": {}}, "the keys ['state_dict']"),
        ({}, "the keys []"),
        ([torch.ones(3)], "a list"),
        (torch.ones(3), "a Tensor"),
    ],
)
def test_no_state_dict_inside(save, content, found):
    message = refused(save(content))
    assert f"as 'state_dict' or 'net' in a dictionary, got {found}." in message


def test_pytorch_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"pip install 'larq-irnet\[torch\]'"):
        read_checkpoint(tmp_path / "model.th")
