#!/usr/bin/env bash
# Ubuntu's needrestart restarts services after each installation, sshd and the network's among them: during a bake that may
# cut Packer off.
set -euo pipefail

# The clean-up removes this file.
if [ -d /etc/needrestart/conf.d ]; then
  echo "\$nrconf{restart} = 'l';" > /etc/needrestart/conf.d/90-slm-copilot-bake.conf
fi
