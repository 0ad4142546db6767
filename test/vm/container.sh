#!/usr/bin/env bash
# Boots the appliance's image in systemd-nspawn: the image's own systemd on this machine's kernel, without emulation.
# container.ts runs this in mount and PID namespaces of its own: once its first process is killed, no process, mount,
# loop device or network is left.
#
# usage: container.sh FOLDER DISK GROUP MAC
# FOLDER: for everything that it writes, with the context disk in it. DISK: the image, raw; it is not changed.
# GROUP: the control group for all processes; its name is the machine's, too. MAC: of the network interface.
set -euo pipefail
folder=$1 disk=$2 group=$3 mac=$4

# The image's root file system begins here (packer/base-image.sh).
partition=$((2048 * 512))
# What is captured: all packets but those of connections that are made to it, which are many.
uncalled='not (tcp and (src port 22 or src port 80 or src port 443)) and not (tcp and dst host 10.0.2.15 and (dst port 22 or dst port 80 or dst port 443))'

main() {
  mount -t proc proc /proc
  mkdir "$group"
  echo $$ > "$group/cgroup.procs"
  make_root
  make_network
  make_memory
  hide_host
  : > "$folder/started"
  boot
}

# Writes go to a folder, as to a VM's overlay.
make_root() {
  mkdir "$folder"/{base,upper,work,root,context}
  mount -o "ro,noload,loop,offset=$partition" "$disk" "$folder/base"
  mount -t overlay -o "lowerdir=$folder/base,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/root"
  # It names a disk, which a container does not have.
  : > "$folder/root/etc/fstab"
  mount -o loop,ro "$folder/context.disk" "$folder/context"
}

# The addresses are those of QEMU's user network.
make_network() {
  : > "$folder/net"
  unshare "--net=$folder/net" true
  mkfifo "$folder/ready"
  slirp4netns --configure "--macaddress=$mac" --netns-type=path --ready-fd=3 "--api-socket=$folder/network" \
    "$folder/net" eth0 3> "$folder/ready" > "$folder/network.log" 2>&1 &
  if [ "$(head -c 1 "$folder/ready")" != 1 ]; then
    cat "$folder/network.log"
    exit 1
  fi
  : > "$folder/capture.log"
  nsenter "--net=$folder/net" tcpdump -n -U --immediate-mode -Z root -i eth0 -w "$folder/packets.pcap" "$uncalled" \
    > "$folder/capture.log" 2>&1 &
  until grep -q 'listening on' "$folder/capture.log"; do sleep 0.05; done
}

# As much as the VM has, instead of what this machine has.
make_memory() {
  sed -E 's/^(MemTotal|MemFree|MemAvailable):.*/\1: 2013000 kB/' /proc/meminfo > "$folder/meminfo"
}

# systemd-nspawn leaves folders there, on this machine's /run.
hide_host() {
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs tmpfs /run/systemd/nspawn
}

# systemd-nspawn ends with 133 when the container reboots. Networking in the container needs CAP_NET_ADMIN; without
# CAP_SYS_TIME, which it does not have, nothing in it can set this machine's clock.
boot() {
  local code
  export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  while
    code=0
    systemd-nspawn --quiet --register=no --keep-unit --machine="${group##*/}" --directory="$folder/root" --console=pipe \
      --network-namespace-path="$folder/net" --capability=CAP_NET_ADMIN \
      --bind="$(findmnt --noheadings --output SOURCE "$folder/context")" \
      --bind-ro="$folder/meminfo:/run/host/meminfo" \
      --link-journal=no --resolv-conf=off --timezone=off --kill-signal=SIGRTMIN+3 \
      /bin/sh -c 'mount --bind /run/host/meminfo /proc/meminfo; exec /lib/systemd/systemd' \
      < /dev/null || code=$?
    [ "$code" = 133 ]
  do :; done
  exit "$code"
}

main
