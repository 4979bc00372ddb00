# `adb`, as far as a measurement needs it.

. "$STAND_INS/device.sh"
log adb "$@"
if [ "$*" = "devices -l" ]; then
  echo "* daemon not running; starting now at tcp:5037" >&2
  printf 'List of devices attached\n%s\n\n' "$devices"
  exit
fi
case "$1 $devices" in
  "-s "*"$2 "*) verb=$3 && shift 3 ;;
  *) echo "unexpected: $*" >&2 && exit 99 ;;
esac
if is_lost; then exit 1; fi
for last; do :; done
case $verb in
  shell) on_device "$1" ;;
  push)
    push "$last" $(while [ $# -gt 1 ]; do echo "$1" && shift; done)
    echo "$# files pushed, 0 skipped. 25.3 MB/s (1 bytes in 0.1s)"
    ;;
  pull) pull "$last" $(while [ $# -gt 1 ]; do echo "$1" && shift; done) ;;
  *) echo "unexpected: $verb" >&2 && exit 99 ;;
esac
