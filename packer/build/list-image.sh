#!/usr/bin/env bash
# Lists the files in a disk image's first partition: type, mode, owner, link target and path; then digests. NUL-separated.
#
# usage: list-image.sh DISK      (as root: it mounts a copy, read-only)
set -euo pipefail

work=$(mktemp -d -p /var/tmp list-image-XXXXXX)
root=$work/root

clean_up() {
  cd /
  if mountpoint -q "$root"; then umount "$root"; fi
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

# Only what is in use takes space.
qemu-img convert -O raw "$1" "$work/disk.raw"
start=$(sfdisk --dump "$work/disk.raw" | sed -nE 's/.* start= *([0-9]+).*/\1/p' | head -n 1)
mkdir "$root"
# noload: without replaying the journal, which would write.
mount -o "ro,noload,loop,offset=$((start * 512))" "$work/disk.raw" "$root"

cd "$root"
find . -mindepth 1 -printf '%y %#m %U:%G %l\t/%P\0'
printf '\0'
find . -type f -print0 | xargs -0 --no-run-if-empty sha256sum --zero
