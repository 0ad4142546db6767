#!/usr/bin/env bash
# Compares a bundle with its list of checksums: every file in it is listed, and is as it was. Names those that are not.
#
# usage: verify-bundle.sh FOLDER
set -euo pipefail

if [ ! -f "$1/SHA256SUMS" ]; then
  echo "$1 is not a complete bundle: it has no SHA256SUMS. \`make bundle\` makes one." >&2
  exit 1
fi
cd "$1"
echo "==> Verifying the bundle $1 ($(wc -l < SHA256SUMS) files, $(du -sh . | cut -f1))"
if problems=$(LC_ALL=C sha256sum --check --quiet SHA256SUMS 2>&1); then problems=; fi
unlisted=$(LC_ALL=C comm -13 \
  <(cut -c67- SHA256SUMS | LC_ALL=C sort) \
  <(find . -type f ! -path ./SHA256SUMS | LC_ALL=C sort) | sed 's/$/: not in SHA256SUMS/')
if [ -n "$problems$unlisted" ]; then
  printf '%s\n' "The bundle $1 is damaged:" "$problems" "$unlisted" | sed '/^$/d' >&2
  echo "Copy it again, or run \`make bundle\` where there is a network." >&2
  exit 1
fi
