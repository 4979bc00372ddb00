import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    call_command,
    run_command_line,
)


@pytest.fixture
def cost(capsys):
    """`irnet-cost`."""
    return lambda *arguments: call_command("cost", arguments, capsys)


def rows(outcome):
    """The cells of each row."""
    lines = [line for line in outcome.stdout.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_the_four_fusions_as_a_user_sees_them():
    outcome = run_command_line("cost")
    assert outcome.code == 0, outcome.stderr
    table = rows(outcome)
    assert [row[0] for row in table[::2]] == [
        f"ir2net18_{fusion}_imagenet" for fusion in "abcd"
    ]
    for ours, authors in zip(table[::2], table[1::2]):
        assert authors[0] == "the authors' code"
        assert ours[1:6] == authors[1:6]  # in every printed digit
    assert [row[-1] for row in table[::2]] == ["25.69", "12.96", "9.13", "1.52"]
    assert "ir2net18_a_imagenet : ir2net18_d_imagenet = 16.9" in outcome.stdout


def test_other_networks(cost):
    outcome = cost("--recipes=irnet_resnet20_cifar10,ir2net_resnet20_cifar10")
    irnet, ir2net, authors = rows(outcome)
    expected = ["0.44", "40.11", "1.07", "0.044", "269,850", "0.00"]
    assert irnet == ["irnet_resnet20_cifar10", *expected]
    assert [ir2net[i] for i in (1, 2, 4, 5)] == [authors[i] for i in (1, 2, 4, 5)]
    assert " : " not in outcome.stdout  # nothing to divide by


def test_an_unknown_recipe(cost):
    outcome = cost("--recipes=nope")
    assert_fails_in_one_line(outcome, "Expected a recipe out of", "'nope'")
