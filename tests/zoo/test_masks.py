"""Masks of runs: what they keep, and the picture of it."""

import matplotlib.image
import numpy as np
import pytest

from larq_irnet.callbacks import RestrictionSnapshot
from larq_irnet.restriction import RestrictedTraining
from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
    run_command_line,
)
from tests.zoo.runs import (
    PROMISED_RESTRICTED,
    Interruption,
    assert_same,
    assert_same_history,
    at_epoch,
    names,
    run,
    stopped_by,
    weights,
)
from tests.zoo.small_network import small_config
from zoo import datasets
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.mask_file import Masks
from zoo.mask_grid import draw_masks
from zoo.workdir import Workdir

# 3x3 features, of which less than the mean attention erases some
RESTRICTED = small_config(
    method="ir2net", restriction={"layer": "stem_bn", "threshold": 0.9}
)


@pytest.fixture(scope="module")
def restricted_run(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("restricted")
    run(RESTRICTED, path)
    return Workdir(path)


def test_what_a_run_leaves(restricted_run):
    assert names(restricted_run.path) == PROMISED_RESTRICTED
    masks = restricted_run.masks()
    expected = datasets.get("digits").arrays("validation", 6).images
    np.testing.assert_array_equal(masks.images, expected)
    assert [one.epoch for one in masks.snapshots] == [0, 1, 2]


def test_the_last_masks_are_those_of_the_saved_model(restricted_run):
    masks = restricted_run.masks()
    model = RestrictedTraining(restricted_run.model(), **RESTRICTED.restriction)
    attention, kept = model.attend(masks.images)
    last = masks.snapshots[-1]
    np.testing.assert_array_equal(last.kept, kept[..., 0])
    np.testing.assert_allclose(last.attention, attention, rtol=1e-3)  # float16
    assert 0 < last.kept.mean() < 1


def test_restriction_changes_the_training(restricted_run, tmp_path):
    run(small_config(method="ir2net"), tmp_path)
    pairs = zip(weights(tmp_path), weights(restricted_run.path))
    assert any((ours != theirs).any() for ours, theirs in pairs)
    assert "restriction_masks.npz" not in names(tmp_path)


def test_a_restricted_run_resumes(restricted_run, tmp_path, monkeypatch):
    Interruption(
        EpochCheckpoint, "on_epoch_end", monkeypatch, when=at_epoch(1), after=True
    )
    with stopped_by(KeyboardInterrupt):
        run(RESTRICTED, tmp_path)
    run(RESTRICTED, tmp_path)
    assert_same(weights(tmp_path), weights(restricted_run.path))
    assert_same_history(Workdir(tmp_path), restricted_run)
    ours, theirs = (folder.masks() for folder in (Workdir(tmp_path), restricted_run))
    for one, other in zip(ours.snapshots, theirs.snapshots, strict=True):
        np.testing.assert_array_equal(one.kept, other.kept)


def test_a_layer_that_is_not_there_ends_in_one_line(use_small_network, tmp_path):
    config = small_config(restriction={"layer": "stem_bm"})
    with pytest.raises(ValueError, match="`layer` to be .* 'stem_bn', .*got 'stem_bm'"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def masks(channels=3, epochs=(0, 4)):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, 8, 6, channels))
    snapshots = [
        RestrictionSnapshot(e, a := generator.random((2, 8, 6)), a > 0.3)
        for e in epochs
    ]
    return Masks(images, tuple(snapshots))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_grid(channels):
    figure = draw_masks(masks(channels))
    assert len(figure.axes) == 2 * (1 + 2 * 2)
    titles = [one.get_title() for one in figure.axes[:5]]
    assert titles[0] == "input"
    assert titles[1::2] == ["epoch 1\nattention", "epoch 5\nattention"]
    assert all(title.startswith("kept\n") for title in titles[2::2])


def test_erased_pixels_and_no_others_have_the_colour_of_erased_ones():
    given = masks(1, epochs=(3,))
    figure = draw_masks(given)
    red = np.array([0.85, 0.25, 0.25])
    for row, kept in enumerate(given.snapshots[0].kept):
        (shown,) = figure.axes[3 * row + 2].images
        is_red = np.isclose(shown.get_array(), red).all(-1)
        np.testing.assert_array_equal(is_red, ~kept)


def test_some_of_the_images():
    assert len(draw_masks(masks(), images=1).axes) == 5


def test_images_that_cannot_be_drawn():
    with pytest.raises(ValueError, match="one or three channels to draw, got 2"):
        draw_masks(masks(2))


def test_command_as_a_user_sees_it(restricted_run, tmp_path):
    output = tmp_path / "grid.png"
    outcome = run_command_line(
        "masks", f"--workdir={restricted_run.path}", f"--output={output}"
    )
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == f"{output}: input, attention and kept pixels\n"
    picture = matplotlib.image.imread(output)
    assert picture.shape[1] > picture.shape[0] > 300
    assert np.ptp(picture[..., :3]) > 0.9


@pytest.fixture
def command(capsys):
    return lambda *arguments: call_command("masks", arguments, capsys)


def test_the_picture_lies_in_the_workdir(command, restricted_run):
    assert command(f"--workdir={restricted_run.path}", "--images=1").code == 0
    picture = restricted_run.path / "masks.png"
    assert matplotlib.image.imread(picture).shape[0] > 100
    picture.unlink()


def test_a_run_without_restriction(command, small_run):
    outcome = command(f"--workdir={small_run.path}")
    assert_fails_in_one_line(
        outcome, "information restriction", "no restriction_masks.npz", "zoo.train"
    )


def test_a_format_that_is_not_known(command, restricted_run):
    outcome = command(f"--workdir={restricted_run.path}", "--output=masks.gif")
    assert_fails_in_one_line(outcome, "'.pdf', '.png', '.svg'", "masks.gif")


def test_flags_that_are_missing(command):
    assert_refuses_flags(command(), "workdir")
