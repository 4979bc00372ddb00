"""`ssh` and `scp`, as far as a measurement needs them."""

import sys

import device

_REFUSED = 255


def main(program, arguments):
    number = device.log([program, *arguments])
    options = arguments[: arguments.index("--")]
    behind = arguments[len(options) + 1 :]
    assert "BatchMode=yes" in options
    if device.is_lost(number):
        print(device.STATE["words"], file=sys.stderr)
        return _REFUSED if program == "ssh" else 1
    if program == "ssh":
        host, command = behind
        assert host == "pi@board"
        return device.shell(command)
    *sources, target = behind
    if target.startswith("pi@board:"):
        device.push(sources, target.removeprefix("pi@board:"))
    else:
        device.pull([one.removeprefix("pi@board:") for one in sources], target)
    return 0


sys.exit(main(sys.argv[1], sys.argv[2:]))
