#!/usr/bin/env bash
# Boots a disk of ours in systemd-nspawn: its own systemd on this machine's kernel, without emulation.
# container.ts runs this as root, in mount and PID namespaces of its own: once its first process is killed, no process,
# mount, loop device or network is left.
#
# usage: container.sh run|bake FOLDER DISK GROUP MAC [ADDRESS]
# run: the disk is not changed; packets are captured; ends when the container does. bake: the file system grows to the
# disk's size, and what the container writes stays; after a line on standard input it is shut down, and the disk unmounted;
# at the end of standard input without one it is killed.
# FOLDER: for everything else that is written, with the context disk in it. DISK: raw, as packer/base-image.sh lays it out.
# GROUP: the control group for all processes; the machine has the same name. MAC: of the network interface.
# ADDRESS: of a second interface, on the bridge `segment` in the network namespace that is open as file descriptor 3.
set -euo pipefail
purpose=$1 folder=$2 disk=$3 group=$4 mac=$5 address=${6:-}

# The root file system begins here (packer/base-image.sh).
partition=$((2048 * 512))
# What is captured: all packets but those of connections that others make to the container, which are many.
capture_filter='not (tcp and (src port 22 or src port 80 or src port 443)) and not (tcp and dst host 10.0.2.15 and (dst port 22 or dst port 80 or dst port 443))'

nspawn=(
  env SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
  # Networking in the container needs CAP_NET_ADMIN; without CAP_SYS_TIME, which it does not have, nothing in it can set
  # this machine's clock.
  systemd-nspawn --quiet --register=no --keep-unit --machine="${group##*/}" --directory="$folder/root" --console=pipe
  --network-namespace-path="$folder/net" --capability=CAP_NET_ADMIN
  --link-journal=no --resolv-conf=off --timezone=off --kill-signal=SIGRTMIN+3
)

main() {
  mount -t proc proc /proc
  mkdir "$group"
  echo $$ > "$group/cgroup.procs"
  mkdir "$folder"/{root,context}
  if [ "$purpose" = bake ]; then mount_disk; else mount_overlay; fi
  insert_context_disk
  make_network
  if [ -n "$address" ]; then join_segment; fi
  hide_host
  if [ "$purpose" = bake ]; then bake; else run; fi
}

# Writes go to a folder, as to a VM's overlay.
mount_overlay() {
  # After the container was killed, what it had written is there.
  mkdir -p "$folder"/{base,upper,work}
  mount -o "ro,noload,loop,offset=$partition" "$disk" "$folder/base"
  mount -t overlay -o "lowerdir=$folder/base,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/root"
  # It names a disk, which a container does not have.
  : > "$folder/root/etc/fstab"
}

# In a VM, the context agent makes partition and file system as large as the disk.
mount_disk() {
  local device
  echo ', +' | sfdisk --quiet -N 1 "$disk"
  device=$(losetup --find --show --offset "$partition" "$disk")
  # Before it is mounted: growing a mounted one needs a capability that root in a container of its own may not have.
  e2fsck -f -p "$device"
  resize2fs "$device"
  mount "$device" "$folder/root"
  # From now on the device goes with the mount.
  losetup --detach "$device"
  : > "$folder/fstab"
  nspawn+=("--bind-ro=$folder/fstab:/etc/fstab")
}

insert_context_disk() {
  mount -o loop,ro "$folder/context.disk" "$folder/context"
}

# Its device is another one after a change of the context.
context_device() {
  findmnt --noheadings --output SOURCE "$folder/context"
}

# The addresses are those of QEMU's user network. The folder's owner may forward ports.
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
  chown --reference="$folder" "$folder/network"
}

# Like a second network card of a VM, in a network that it shares with others.
join_segment() {
  local port="port-${address##*.}"
  # In there, the name is free once a container that had it has ended.
  nsenter --net=/proc/self/fd/3 bash -euc "
    ip link add '$port' type veth peer name eth1
    ip link set '$port' master segment up
    ip link set eth1 netns '$folder/net'"
  exec 3<&-
  nsenter "--net=$folder/net" bash -euc "ip address add '$address/24' dev eth1; ip link set eth1 up"
}

# systemd-nspawn leaves folders there, on this machine's /run.
hide_host() {
  mkdir -p /run/systemd/nspawn
  mount -t tmpfs tmpfs /run/systemd/nspawn
}

# systemd-nspawn ends with 133 when the container reboots.
run() {
  local code
  capture
  pretend_memory
  : > "$folder/started"
  while
    code=0
    "${nspawn[@]}" "--bind=$(context_device)" /bin/sh -c 'mount --bind /run/host/meminfo /proc/meminfo; exec /lib/systemd/systemd' \
      < /dev/null || code=$?
    [ "$code" = 133 ]
  do :; done
  exit "$code"
}

capture() {
  : > "$folder/capture.log"
  nsenter "--net=$folder/net" tcpdump -n -U --immediate-mode -Z root -i eth0 -w "$folder/packets.pcap" "$capture_filter" \
    > "$folder/capture.log" 2>&1 &
  until grep -q 'listening on' "$folder/capture.log"; do sleep 0.05; done
}

# As much as the VM has, instead of what this machine has.
pretend_memory() {
  sed -E 's/^(MemTotal|MemFree|MemAvailable):.*/\1: 2013000 kB/' /proc/meminfo > "$folder/meminfo"
  nspawn+=("--bind-ro=$folder/meminfo:/run/host/meminfo")
}

bake() {
  local container
  exec 3<&0
  : > "$folder/started"
  "${nspawn[@]}" "--bind=$(context_device)" /lib/systemd/systemd < /dev/null &
  container=$!
  # Without a line, the build was interrupted: this script ends, and the container with it.
  read -r <&3 &
  wait -n "$container" $!
  # systemd-nspawn then shuts the container down, and waits for it.
  kill -TERM "$container"
  wait "$container"

  # Turns blocks of deleted files into holes.
  fstrim "$folder/root"
  umount "$folder/root"
}

main
