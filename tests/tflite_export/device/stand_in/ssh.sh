# `ssh` and `scp`, as far as a measurement needs them.

. "$STAND_INS/device.sh"
program=${0##*/}
log "$program" "$@"
case " $* " in
  *" BatchMode=yes "*) ;;
  *) echo "unexpected: $*" >&2 && exit 99 ;;
esac
if is_lost; then
  [ "$program" = ssh ] && exit 255
  exit 1
fi
while [ "$1" != -- ]; do shift; done
shift
if [ "$program" = ssh ]; then
  [ "$1" = pi@board ] && on_device "$2"
  echo "unexpected: $*" >&2 && exit 99
fi
for last; do :; done
sources=$(while [ $# -gt 1 ]; do echo "${1#pi@board:}" && shift; done)
case $last in
  pi@board:*) push "${last#pi@board:}" $sources ;;
  *) pull "$last" $sources ;;
esac
