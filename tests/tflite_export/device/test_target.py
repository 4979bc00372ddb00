"""Targets, and the commands that become of them."""

import shlex
from pathlib import Path

import pytest

from tflite_export.device import MeasuredModel, Target, parse_target
from tflite_export.device.adb import AdbConnection
from tflite_export.device.remote_folder import new_folder, remove_script
from tflite_export.device.ssh import SshConnection


@pytest.mark.parametrize(
    "text, target",
    [
        ("android", Target("android")),
        ("ssh://board", Target("linux", "board")),
        ("ssh://pi@Board.local", Target("linux", "Board.local", "pi")),
        ("ssh://pi@10.0.0.7:2222/", Target("linux", "10.0.0.7", "pi", 2222)),
        ("ssh://pi@[fe80::1]:22", Target("linux", "fe80::1", "pi", 22)),
        ("ssh://pi@[fe80::1]", Target("linux", "fe80::1", "pi")),
    ],
)
def test_targets(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "phone",
        "ssh://",
        "ssh://@board",
        "ssh://pi:secret@board",
        "ssh://board/home",
        "ssh://board:port",
        "ssh://board:99999",
        "ssh://-oProxyCommand=x",
        "ssh://-l@board",
        "ssh://pi@board;reboot",
        "ssh://$(reboot)",
        "ssh://pi@bo ard",
        "http://board",
        "pi@board",
        "ssh://[fe80::1",
    ],
)
def test_what_is_no_target(text):
    with pytest.raises(ValueError, match="Expected --target=android or --target=ssh"):
        parse_target(text)


def test_a_password_is_named():
    with pytest.raises(ValueError, match="with a password"):
        parse_target("ssh://pi:secret@board")


def test_scripts_are_one_word():
    script = "echo 'a b' \"$HOME\"; rm -rf x"
    assert AdbConnection("S").shell_command(script) == [
        *("adb", "-s", "S", "shell"),
        script,
    ]
    *_, dashes, host, remote = SshConnection(Target("linux", "b", "u")).shell_command(
        script
    )
    assert (dashes, host) == ("--", "u@b")
    assert shlex.split(remote) == ["sh", "-c", script]


def test_addresses_with_colons():
    ssh = SshConnection(Target("linux", "fe80::1", "pi", 22))
    assert ssh.shell_command("true")[-2] == "pi@fe80::1"
    assert ssh.push_command([Path("a")], "/x")[-1] == "pi@[fe80::1]:/x/"
    assert ssh.pull_command(["/x/a"], Path("b"))[-2:] == ["pi@[fe80::1]:/x/a", "b"]


@pytest.mark.parametrize("parent", ["", "tmp", "/tmp; rm -rf /", "/a b", "/$HOME", "~"])
def test_folders_that_commands_would_have_to_guess_about(parent):
    with pytest.raises(ValueError, match="Expected --remote_folder"):
        new_folder(parent)


def test_folders_are_new_each_time():
    one, other = new_folder("/data/local/tmp/"), new_folder("/data/local/tmp/")
    assert one != other
    assert one.startswith("/data/local/tmp/irnet-")
    assert f"rm -rf {one};" in remove_script(one)


@pytest.mark.parametrize("name", ["", "a;b", "$(x)", "a/b", "-x", 'a"b'])
def test_names_that_a_shell_would_read(name):
    with pytest.raises(ValueError, match="Expected a name of letters"):
        MeasuredModel(name, Path("x.tflite"))
