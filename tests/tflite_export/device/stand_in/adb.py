"""`adb`, as far as a measurement needs it."""

import sys

import device


def main(arguments):
    number = device.log(["adb", *arguments])
    if arguments == ["devices", "-l"]:
        print("* daemon not running; starting now at tcp:5037", file=sys.stderr)
        print("List of devices attached")
        for line in device.STATE["devices"]:
            print(line)
        print()
        return 0
    flag, serial, verb, *rest = arguments
    assert flag == "-s"
    assert any(line.split()[0] == serial for line in device.STATE["devices"])
    if device.is_lost(number):
        print(device.STATE.get("words", "error: device offline"), file=sys.stderr)
        return 1
    if verb == "shell":
        (script,) = rest
        return device.shell(script)
    if verb == "push":
        device.push(rest[:-1], rest[-1])
        print(f"{len(rest) - 1} files pushed, 0 skipped. 25.3 MB/s (1 bytes in 0.1s)")
        return 0
    assert verb == "pull"
    device.pull(rest[:-1], rest[-1])
    return 0


sys.exit(main(sys.argv[1:]))
