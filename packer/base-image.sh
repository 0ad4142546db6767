#!/usr/bin/env bash
# Makes a Debian 13 disk that boots on its own (BIOS, serial console) and contains the framework's context agent.
#
# usage: base-image.sh ONE_APPS_DIR FOLDER [PACKAGE...]      (as root: it mounts a loop device)
#
# Packages that are named are downloaded, with what they depend on, and not installed. BUNDLE_SERVER=URL: an HTTP proxy
# that serves an earlier state of Debian's archive.
#
# Writes disk.qcow2 to FOLDER, and vmlinuz for the accelerator's test boot. The framework defines the agent's layout, its
# packages and its post-installation: context-linux/{generate,targets}.sh and pkg/.
set -euo pipefail

# In namespaces of its own: however this ends, none of its processes and mounts remain.
if [ $$ != 1 ]; then exec unshare --mount --pid --fork --kill-child --mount-proc bash "$0" "$@"; fi

# shellcheck source=packer/pins.sh
source "$(dirname "$0")/pins.sh"

context=$(realpath "$1")/context-linux
folder=$2
additional=("${@:3}")

suite=$debian_suite
mirror=${DEBIAN_MIRROR:-$debian_archive}
security=${DEBIAN_SECURITY_MIRROR:-$debian_security_archive}
# Start of the root partition, where partitioning tools put it; extlinux uses the gap before it.
offset=$((1024 * 1024))
# Virtual size: the bake enlarges the disk, and the agent grows the root file system at boot.
size=4G

# dhcpcd-base: on Debian 13 the agent configures ifupdown, which has no DHCP client of its own.
# Some of Debian's important packages, and Python with its usual modules, as in the cloud images that the framework's
# own base is made from: otherwise each bake would install them in a VM, which without KVM takes half of its time.
packages=(
  linux-image-cloud-amd64 initramfs-tools lz4 systemd-sysv udev dbus kmod e2fsprogs fdisk iproute2 procps
  openssh-server dhcpcd-base ca-certificates gawk less adduser logrotate lsb-release nftables tzdata
  python3 python3-configobj python3-cryptography python3-openssl python3-requests
  # Of the appliance's own packages, those that take longest to install. (A bake installs the others, nginx among them.)
  certbot chrony unattended-upgrades
)

mkdir -p "$folder"
work=$(mktemp -d "$folder/.work-XXXXXX")
root=$work/root
disk=$work/disk.raw

clean_up() {
  if mountpoint -q "$root"; then umount --recursive "$root"; fi
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

make_disk() {
  truncate --size "$size" "$disk"
  echo "start=$((offset / 512)), type=83, bootable" | sfdisk --quiet "$disk"
  # 440 bytes of boot code: the partition table follows them.
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$disk" bs=440 count=1 conv=notrunc status=none

  # extlinux cannot read 64-bit ext4, nor other features that newer mke2fs enables.
  mkfs.ext4 -q -L root -O '^64bit,^metadata_csum_seed,^orphan_file' -E "offset=$offset" \
    "$disk" "$((($(stat --format %s "$disk") - offset) / 1024))k"
  mkdir "$root"
  # The loop device goes with the mount. An interrupted build is thrown away: nothing needs to reach the disk before the end.
  mount -o "loop,offset=$offset,barrier=0" "$disk" "$root"
}

# Of alternatives, the first package, which the framework prefers.
agent_packages() {
  # shellcheck source=/dev/null
  (cd "$context" && TARGET=deb . ./targets.sh && for choice in $DEPENDS; do echo "${choice%%|*}"; done)
}

install_debian() {
  mapfile -t agent < <(agent_packages)
  local included=("${packages[@]}" "${agent[@]}")
  # Boots sooner: the few drivers that a virtual machine's root and context disks need, in a format that unpacks fast.
  # Before the packages: the kernel's own post-installation makes the initramfs, once.
  local conf="\$1/etc/initramfs-tools/conf.d" modules="\$1/usr/share/initramfs-tools/modules.d"
  local initramfs="mkdir -p $conf $modules
    printf '%s\n' MODULES=list COMPRESS=lz4 > $conf/virtual-machine
    printf '%s\n' virtio_pci virtio_blk virtio_scsi sd_mod ata_piix sr_mod isofs > $modules/virtual-machine"

  # Without this, dpkg waits for the disk after each file and each change of its database.
  local unsafe="\$1/etc/dpkg/dpkg.cfg.d/unsafe-io"

  local bundle=()
  if [ -n "${BUNDLE_SERVER:-}" ]; then
    # Its metadata may be older than Debian considers valid.
    bundle=(
      --aptopt="Acquire::http::Proxy \"$BUNDLE_SERVER\"" --aptopt='Acquire::Check-Valid-Until "false"'
      --customize-hook="rm \"\$1/etc/apt/apt.conf.d/99mmdebstrap\""
    )
  fi

  # The package lists are kept: a bake then updates them, which in a VM is faster than downloading and indexing all.
  mmdebstrap --mode=root --variant=minbase --format=directory \
    --skip=cleanup/apt/lists \
    --include="$(IFS=,; echo "${included[*]}")" \
    --setup-hook="mkdir -p \$1/etc/dpkg/dpkg.cfg.d && echo force-unsafe-io > $unsafe" \
    --customize-hook="rm $unsafe" \
    --essential-hook="$initramfs" \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    "${bundle[@]}" \
    "$suite" "$root" \
    "deb $mirror $suite main" \
    "deb $mirror $suite-updates main" \
    "deb $security $suite-security main"
  chroot "$root" apt-cache gencaches
}

install_agent() {
  (cd "$context" && TARGET=deb TYPE=dir OUT="$work/agent" bash ./generate.sh)
  cp -r --no-preserve=ownership "$work/agent/." "$root/"
  install -m 0755 "$context/pkg/postinstall" "$root/tmp/postinstall"
  chroot "$root" /tmp/postinstall
  rm "$root/tmp/postinstall"
}

# As a bake would, on top of this system.
download_additional() {
  if [ ${#additional[@]} -eq 0 ]; then return; fi
  chroot "$root" apt-get -q update
  chroot "$root" apt-get -q install -y --download-only --no-install-recommends "${additional[@]}"
  chroot "$root" apt-get clean
}

configure_system() {
  echo 'LABEL=root / ext4 errors=remount-ro 0 1' > "$root/etc/fstab"
  echo debian > "$root/etc/hostname"
  printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
  : > "$root/etc/machine-id"
  rm -f "$root"/etc/ssh/ssh_host_*_key*
  # mmdebstrap leaves the build machine's resolver here; the context provides the VM's own.
  echo 'nameserver 127.0.0.1' > "$root/etc/resolv.conf"
  chroot "$root" systemctl enable systemd-networkd ssh
}

install_boot_loader() {
  mkdir -p "$root/boot/extlinux"
  # /vmlinuz and /initrd.img are the links that Debian keeps pointing at the newest kernel.
  cat > "$root/boot/extlinux/extlinux.conf" <<'END'
DEFAULT debian
PROMPT 0
TIMEOUT 1
LABEL debian
  LINUX /vmlinuz
  INITRD /initrd.img
  APPEND root=LABEL=root ro quiet console=tty0 console=ttyS0,115200
END
  extlinux --install "$root/boot/extlinux"
}

make_disk
install_debian
install_agent
download_additional
configure_system
install_boot_loader

cp --dereference "$root/vmlinuz" "$folder/vmlinuz"
chmod 0644 "$folder/vmlinuz"
# Turns blocks of deleted files into holes.
fstrim "$root"
umount --recursive "$root"
qemu-img convert -f raw -O qcow2 "$disk" "$folder/disk.qcow2"
# Under sudo, the result belongs to the user who ran it.
chown --reference="$folder/.." "$folder" "$folder/disk.qcow2" "$folder/vmlinuz"
