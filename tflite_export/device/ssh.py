"""A board with Linux through `ssh` and `scp`."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from tflite_export.device.connection import Connection
from tflite_export.device.target import Target

__all__ = ["SshConnection"]

_OPTIONS = (  # never ask, notice a lost board
    "BatchMode=yes",
    "ConnectTimeout=15",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
)
_FAILURES = (
    ("no space left|disk quota exceeded", "its storage is full", "Make room on it"),
    (
        "remote host identification has changed",
        "its host key is not the one that is known",
        "If the board was set up anew, run `ssh-keygen -R` with its name, else find "
        "out who answers there",
    ),
    (
        "host key verification failed",
        "its host key is not known",
        "Log in once by hand, `ssh` with the same user and host, and accept the key",
    ),
    (
        r"permission denied \(|too many authentication failures",
        "it does not accept your ssh key",
        "Run `ssh-copy-id` with the same user and host: passwords are not asked for",
    ),
    (
        "could not resolve hostname|name or service not known",
        "there is no host of that name",
        "Correct --target, or give its address",
    ),
    (
        "connection refused",
        "no ssh server answers there",
        "Start one on the board, or give its port in --target=ssh://user@host:port",
    ),
    (
        r"timed out|no route to host|network is unreachable|not responding"
        r"|connection (reset|closed)|broken pipe|lost connection",
        "it cannot be reached, or not any more",
        "See that it runs and is in the same network, and run the same command again",
    ),
    (
        "subsystem request failed|sftp-server",
        "it has no sftp server, which `scp` needs",
        "Install one on it (on Debian: `apt install openssh-sftp-server`)",
    ),
    (
        "permission denied|read-only file system",
        "the folder cannot be written",
        "Name another one with --remote_folder",
    ),
)


class SshConnection(Connection):
    """One board.

    # Arguments
        target: Its host, with user and port.
    """

    temporary_folder = "/tmp"
    failures = _FAILURES

    def __init__(self, target: Target):
        prefix = f"{target.user}@" if target.user else ""
        self.name = f"{prefix}{target.host}"
        host = f"[{target.host}]" if ":" in target.host else target.host
        self._copied = f"{prefix}{host}"
        self._options = [word for one in _OPTIONS for word in ("-o", one)]
        self._port = target.port

    def _with_port(self, program: str, flag: str) -> list[str]:
        port = [] if self._port is None else [flag, str(self._port)]
        return [program, *self._options, *port]

    def shell_command(self, script: str) -> list[str]:
        """The command that runs a script in a POSIX shell, whatever the login shell."""
        remote = f"sh -c {shlex.quote(script)}"
        return [*self._with_port("ssh", "-p"), "--", self.name, remote]

    def push_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """The command that copies files into a folder of the board."""
        copy = [*self._with_port("scp", "-P"), "-q", "--"]
        return [*copy, *map(str, files), f"{self._copied}:{folder}/"]

    def pull_command(self, files: Sequence[str], folder: Path) -> list[str]:
        """The command that copies files of the board into a folder."""
        copy = [*self._with_port("scp", "-P"), "-q", "--"]
        return [*copy, *(f"{self._copied}:{file}" for file in files), str(folder)]
