"""Where to measure: `android`, or `ssh://user@host:port`."""

import re
import urllib.parse
from dataclasses import dataclass

__all__ = ["Target", "parse_target"]

_EXPECTED = "Expected --target=android or --target=ssh://user@host, got {got!r}{why}."
_USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
_HOST = re.compile(r"[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*")


@dataclass(frozen=True)
class Target:
    """A phone at a cable, or a board in the network.

    # Attributes
        kind: "android" or "linux".
        host: Name or address of the board.
        user: Whom to log in as; empty for what ssh takes by itself.
        port: Of its ssh server; `None` for what ssh takes by itself.
    """

    kind: str
    host: str = ""
    user: str = ""
    port: int | None = None


def parse_target(text: str) -> Target:
    """Reads the target of a command line.

    # Arguments
        text: "android" or "ssh://[user@]host[:port]".

    # Raises
        ValueError: for anything else.

    # Example
        >>> parse_target("ssh://pi@192.168.0.7:2222")
        Target(kind='linux', host='192.168.0.7', user='pi', port=2222)
    """
    if text == "android":
        return Target("android")
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(_EXPECTED.format(got=text, why=f": {error}")) from error
    # not `hostname`, which is in lower case: names in an ssh configuration are not
    place = parts.netloc.rpartition("@")[2]
    host = place.strip("[]") if port is None else place.rpartition(":")[0].strip("[]")
    if parts.scheme != "ssh" or parts.password is not None:
        why = ", with a password" if parts.password is not None else ""
        raise ValueError(_EXPECTED.format(got=text, why=why))
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(_EXPECTED.format(got=text, why=", with more behind the host"))
    user = parts.username or ""
    is_user = not user or _USER.fullmatch(user)
    if not is_user or ("@" in parts.netloc and not user) or not _HOST.fullmatch(host):
        raise ValueError(_EXPECTED.format(got=text, why=""))
    return Target("linux", host, user, port)
