#!/usr/bin/env bash
# SSH in the image: keys only, and no reverse lookups, which would stall on a VM without DNS.
set -euo pipefail

# sshd uses the first value that it reads, and Debian includes this folder first.
cat > /etc/ssh/sshd_config.d/00-slm-copilot.conf <<'END'
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
X11Forwarding no
UseDNS no
END
sshd -t
systemctl reload ssh
