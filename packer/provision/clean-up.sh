#!/usr/bin/env bash
# Removes from the image what belongs to this machine only, or is not needed: identity, keys, caches, logs.
set -euo pipefail

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old

# The framework's installation logs stay: they document how the image was built.
journalctl --quiet --rotate --vacuum-time=1s
rm -rf /var/log/journal/* /var/log/{apt,installer} /var/log/{dpkg,alternatives,bootstrap,cloud-init*}.log*
find /var/log -type f ! -path '/var/log/one-appliance/*' -exec truncate --size 0 {} +

# The context agent generates missing host keys; systemd a machine ID and a random seed.
rm -f /etc/ssh/ssh_host_*_key* /root/.ssh/authorized_keys /root/.bash_history
truncate --size 0 /etc/machine-id
# Stopped first: it saves the seed when stopped, and would save it again at shutdown, the same for every VM.
systemctl stop systemd-random-seed
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
rm -rf /var/lib/dhcp/*.leases /var/lib/one-context/tmp /var/tmp/* /context

sync
# Turns freed blocks into holes in the image (discard=unmap).
fstrim --all || echo 'fstrim: not supported by this disk'
