import io

import pytest
import rich.console

from zoo.progress import TrainingProgress

LOGS = {"loss": 0.5, "accuracy": 0.25, "val_loss": 1.0, "val_accuracy": 0.125}


class Clock:
    """Stands still until it is told."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def shown(style, *, is_terminal, first_epoch=0, epochs=3, seconds=20.0, until=3):
    """What is written while epochs of two steps take so many seconds each."""
    text, clock = io.StringIO(), Clock()
    progress = TrainingProgress(
        style,
        first_epoch=first_epoch,
        epochs=epochs,
        steps=2,
        console=rich.console.Console(
            file=text, force_terminal=is_terminal, width=100, highlight=False
        ),
        clock=clock,
    )
    progress.on_train_begin()
    for epoch in range(first_epoch, until):
        progress.on_epoch_begin(epoch)
        for batch in range(2):
            clock.seconds += seconds / 2
            progress.on_train_batch_end(batch, LOGS)
        progress.on_epoch_end(epoch, LOGS)
    if until == epochs:
        progress.on_train_end()
    progress.close()
    return text.getvalue()


FIGURES = "loss 0.5000, accuracy 25.00%, validation 12.50%"
THREE_EPOCHS = [
    f"epoch 1/3: {FIGURES}, 20.0 s, 0:00:40 left",
    f"epoch 2/3: {FIGURES}, 20.0 s, 0:00:20 left",
    f"epoch 3/3: {FIGURES}, 20.0 s, 0:00:00 left",
]


@pytest.mark.parametrize("is_terminal", [True, False])
def test_epochs(is_terminal):
    assert shown("epochs", is_terminal=is_terminal).splitlines() == THREE_EPOCHS


def test_a_bar_without_a_terminal_is_a_line_for_each_epoch():
    assert shown("bar", is_terminal=False).splitlines() == THREE_EPOCHS


@pytest.mark.parametrize("is_terminal", [True, False])
def test_none(is_terminal):
    assert shown("none", is_terminal=is_terminal) == ""


def test_time_left_after_a_resumption_counts_the_epochs_of_this_session():
    lines = shown(
        "epochs", is_terminal=False, first_epoch=8, epochs=400, seconds=60.0, until=10
    ).splitlines()
    # 391 and 390 epochs are left, of a minute each
    assert [line.rpartition(", ")[2] for line in lines] == [
        "6:31:00 left",
        "6:30:00 left",
    ]
    assert lines[0].startswith("epoch 9/400: ")


def test_a_line_is_not_cut_where_the_console_is_narrow():
    narrow = io.StringIO()
    progress = TrainingProgress(
        "epochs",
        first_epoch=0,
        epochs=1,
        steps=1,
        console=rich.console.Console(file=narrow, width=20),
    )
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_epoch_end(0, LOGS)
    assert len(narrow.getvalue().splitlines()) == 1


def test_bar():
    text = shown("bar", is_terminal=True)
    last = text.rpartition("\r")[2]  # frames between depend on the time of day
    assert "epoch 3/3" in last
    assert "100.0 %" in last
    assert FIGURES in last
    assert "0:00:00" in last


def test_the_bar_of_a_resumed_run_begins_where_the_run_is():
    text = shown("bar", is_terminal=True, first_epoch=1, epochs=4, until=2)
    # 2 of 8 steps at first, 4 of 8 after the epoch
    assert "25.0 %" in text and "50.0 %" in text
    assert " 0.0 %" not in text and "100.0 %" not in text


def test_the_terminal_is_given_back_after_an_exception():
    show, hide = "\x1b[?25h", "\x1b[?25l"
    text = shown("bar", is_terminal=True, until=1)
    assert text.count(hide) == text.count(show) == 1


def test_an_unknown_style():
    message = r"Expected `progress` to be one of \['bar', 'epochs', 'none'\], got 'all'"
    with pytest.raises(ValueError, match=message):
        TrainingProgress("all", first_epoch=0, epochs=1, steps=1)
