#!/usr/bin/env bash
# Takes out of the image what belongs to this one machine, and what nobody needs: identity, keys, caches, logs.
set -euo pipefail

# Left by the images of clouds: none of it in a base of our own.
apt-get purge -y cloud-init > /dev/null 2>&1 || echo 'no cloud-init to remove'
rm -rf /var/lib/cloud /etc/cloud

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old

# The framework's logs of the installation stay: they say how the image came about.
journalctl --quiet --rotate --vacuum-time=1s
rm -rf /var/log/journal/* /var/log/{apt,installer} /var/log/{dpkg,alternatives,bootstrap,cloud-init*}.log*
find /var/log -type f ! -path '/var/log/one-appliance/*' -exec truncate --size 0 {} +

# The context agent makes host keys where there are none; systemd an identity and a seed.
rm -f /etc/ssh/ssh_host_*_key* /root/.ssh/authorized_keys /root/.bash_history
truncate --size 0 /etc/machine-id
# Stopped first: it writes the seed when it is, and at shutdown would write it again, the same for every VM.
systemctl stop systemd-random-seed
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
rm -rf /var/lib/dhcp/*.leases /var/lib/one-context/tmp /var/tmp/* /context

sync
# What was freed becomes a hole in the image (discard=unmap).
fstrim --all || echo 'fstrim: this disk cannot'
