#!/usr/bin/env bash
# Removes from the image what belongs to this machine only, or is not needed: identity, keys, caches, logs, traces of
# the bake. test/vm/image.test.ts looks for them in the exported image.
set -euo pipefail

# Overwrites files and removes them: fstrim leaves alone what is smaller than a cluster of the image, 64 KiB, and with it
# the text of keys in blocks that are free.
erase() {
  local path
  for path in "$@"; do
    if [ ! -e "$path" ]; then continue; fi
    find "$path" -type f -exec shred --iterations=0 --zero {} +
    rm -rf "$path"
  done
}

rm -f /etc/needrestart/conf.d/90-slm-copilot-bake.conf

apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/backups/*
# Earlier versions of passwd, group, shadow, and so on.
rm -f /etc/*-

# What saves its state when it is stopped, as it would be at shutdown: the same random seed for every VM, a record of this
# shutdown, the drift of this machine's clock.
for unit in systemd-random-seed systemd-update-utmp systemd-timesyncd chrony rsyslog cron unattended-upgrades; do
  if systemctl --quiet is-active "$unit"; then systemctl stop "$unit"; fi
done
erase /var/lib/systemd/{random-seed,credential.secret}
rm -f /var/lib/systemd/timesync/clock /var/lib/systemd/timers/stamp-*
rm -rf /var/lib/chrony/* /var/lib/logrotate/status /var/lib/systemd/coredump/* /var/crash/* /var/mail/* /var/spool/cron/crontabs/*

# Later entries stay in memory.
journalctl --quiet --relinquish-var
erase /var/log/journal/* /var/log/{apt,chrony,installer,letsencrypt,unattended-upgrades} /var/log/{dpkg,alternatives,bootstrap,cloud-init*}.log*
find /var/log -type f \( -name '*.gz' -o -name '*.[0-9]' \) -delete
find /var/log -type f -exec shred --iterations=0 --zero {} + -exec truncate --size 0 {} +
rm -rf /var/lib/{lastlog,wtmpdb}/*

# The context agent generates missing host keys and the network's configuration, and obeys cloud-init's user data once;
# systemd generates a machine ID.
erase /etc/ssh/ssh_host_*_key*
rm -f /etc/systemd/network/*.network /etc/netplan/50-one-context.yaml
rm -f /etc/udev/rules.d/70-persistent-net.rules /etc/NetworkManager/system-connections/*
for file in /etc/machine-id /etc/network/interfaces /etc/resolv.conf; do
  if [ -f "$file" ] && [ ! -L "$file" ]; then
    shred --iterations=0 --zero "$file"
    truncate --size 0 "$file"
  fi
done
erase /etc/ssl/private/ssl-cert-snakeoil.key
rm -f /var/lib/dbus/machine-id /etc/ssl/certs/ssl-cert-snakeoil.pem
rm -rf /var/lib/dhcp/* /var/lib/dhcpcd/* /var/lib/NetworkManager/* /var/lib/one-context/{tmp,cloudinit} /context

# The bake's key, and histories.
for home in /root /home/*; do
  erase "$home"/.ssh/* "$home"/.*_history "$home"/.{lesshst,viminfo,wget-hsts,cache,ansible,sudo_as_admin_successful}
done
# Packer's scripts and this one among them.
find /tmp /var/tmp -xdev -mindepth 1 -delete

sync
# Turns freed blocks into holes in the image (discard=unmap).
fstrim --all || echo 'fstrim: not supported by this disk'
