# shellcheck shell=bash
# Stand-in: what the framework offers to an appliance's script.

# Prints a dated message of a kind: info to stdout, warning and error to stderr; an error returns 1.
msg() {
  local kind=$1
  shift
  case $kind in
    info) echo "[$(date)] => INFO: $*" ;;
    warning) echo "[$(date)] => WARNING: $*" >&2 ;;
    *)
      echo "[$(date)] => ERROR: $*" >&2
      return 1
      ;;
  esac
}

# Whether the variable of this name says yes.
is_true() {
  case ${!1,,} in
    1 | true | yes | y) return 0 ;;
    *) return 1 ;;
  esac
}
