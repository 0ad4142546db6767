#!/usr/bin/env bash
# SSH in the image: by key only, and no name lookups that a VM without DNS would wait for.
set -euo pipefail

# sshd takes the first value it meets, and Debian includes this folder first.
cat > /etc/ssh/sshd_config.d/00-slm-copilot.conf <<'END'
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
UseDNS no
END
sshd -t
systemctl reload ssh
