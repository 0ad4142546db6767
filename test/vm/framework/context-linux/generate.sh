#!/usr/bin/env bash
# Stand-in: lays out the context agent for TARGET as a folder (TYPE=dir) at OUT, the only type that we need.
set -euo pipefail

# shellcheck source=/dev/null
. ./targets.sh
if [ "${TYPE:-}" != dir ]; then
  echo 'the stand-in makes TYPE=dir only' >&2
  exit 1
fi

cp -rT src "$OUT"
chmod -R u=rwX,go=rX "$OUT"
