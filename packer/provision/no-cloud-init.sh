#!/usr/bin/env bash
# Removes cloud-init, which cloud images come with; our own base image does not.
set -euo pipefail

apt-get purge -y cloud-init > /dev/null 2>&1 || echo 'no cloud-init to remove'
rm -rf /var/lib/cloud /etc/cloud
