#!/usr/bin/env bash
# Ubuntu's needrestart restarts services after an installation, sshd among them: Packer's connection would end with it.
set -euo pipefail

# The clean-up removes this file.
if [ -d /etc/needrestart/conf.d ]; then
  echo "\$nrconf{restart} = 'l';" > /etc/needrestart/conf.d/90-slm-copilot-bake.conf
fi
