#!/usr/bin/env bash
# Removes cloud-init, which cloud images come with, in several packages since Ubuntu 26.04; our own base image has none.
set -euo pipefail

# shellcheck disable=SC2016  # dpkg-query's own placeholders
mapfile -t packages < <(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' 'cloud-init*' 2> /dev/null |
  sed -n 's/^installed //p')
if [ ${#packages[@]} -gt 0 ]; then DEBIAN_FRONTEND=noninteractive apt-get purge --yes "${packages[@]}"; fi
rm -rf /var/lib/cloud /etc/cloud
# What it has written, which is no package's.
find /etc -xdev -name '*cloud-init*' ! -type d -delete
