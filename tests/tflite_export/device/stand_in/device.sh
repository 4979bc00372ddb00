# A device that is the folder $STAND_IN_DEVICE; its `adb`, `ssh` and `scp` end here.
#
# Scripts run in a shell of this machine, with the absolute paths of the device moved
# into the folder, and the programs of the device in front of the PATH. The file `state`
# tells what goes wrong. In sh, because each command starts one of these.

. "$STAND_IN_DEVICE/state" # devices, lost_at, words, push, python, benchmark

log() { # notes a command; $number counts them from 1
  printf '%s\0' "$@" >>"$STAND_IN_DEVICE/log"
  printf '\0' >>"$STAND_IN_DEVICE/log"
  read -r number <"$STAND_IN_DEVICE/count"
  number=$((number + 1))
  echo $number >"$STAND_IN_DEVICE/count"
}

is_lost() { # whether the device is gone before this command
  [ "$number" -ge "$lost_at" ] && echo "$words" >&2
}

moved() { # the paths of the device within the folder
  printf '%s' "$1" | sed -e 's|/data/local/tmp|@phone@|g' \
    -e "s|/tmp|$STAND_IN_DEVICE/tmp|g" -e "s|/sys/|$STAND_IN_DEVICE/sys/|g" \
    -e "s|/proc/device-tree|$STAND_IN_DEVICE/proc/device-tree|g" \
    -e "s|/etc/|$STAND_IN_DEVICE/etc/|g" \
    -e "s|@phone@|$STAND_IN_DEVICE/data/local/tmp|g"
}

on_device() { # runs a script
  exec env -i PATH="$STAND_IN_DEVICE/bin:/usr/bin:/bin" \
    STAND_IN_DEVICE="$STAND_IN_DEVICE" sh -c "$(moved "$1")"
}

push() { # to a folder of the device; the benchmark tool becomes the stand-in
  [ -z "$push" ] || { echo "$push" >&2; exit 1; }
  folder=$(moved "$1") && shift
  cp "$@" "$folder"
  for file in "$folder"/lce_benchmark*; do
    printf '#!/bin/sh\nexec %s -S -E -u %s/benchmark.py "$@"\n' \
      "$python" "$STAND_INS" >"$file"
  done
}

pull() { # to a folder of this machine
  folder=$1 && shift
  for file; do cp "$(moved "$file")" "$folder"; done
}
