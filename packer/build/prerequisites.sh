#!/usr/bin/env bash
# Installs what building, running and testing need on this machine; the only list. Debian 12 and Ubuntu 24.04.
# Installed packages are left alone: a second run does nothing and asks for no password.
#
# usage: prerequisites.sh [up | check | modules [CACHE]]
# up: only what `make up` needs; check: only what `npm run check` needs; modules: only npm's, from a bundle's cache
# without a network if it is given
set -euo pipefail
cd "$(dirname "$0")/../.."

# What `make up` needs.
packages=(
  # llama-server
  cmake ninja-build g++ git
  # the base image
  mmdebstrap debian-archive-keyring extlinux syslinux-common fdisk e2fsprogs mount
  # VMs and their context disks
  qemu-system-x86 qemu-utils genisoimage openssh-client
  # without KVM, the container in which the image is baked
  systemd-container slirp4netns
  # the local mirror, and the request that it ends with
  nginx curl
)
# What tests, checks and releases need besides.
others=(
  # what containers from the image send
  tcpdump
  # the appliance's own programs, for tests on this machine
  haproxy libnginx-mod-http-js openssl libgomp1 certbot
  # signatures
  minisign
  # the marketplace's logo, and the checks of its files
  librsvg2-bin yamllint ruby-rspec
  # checks of the metrics and the alert rules
  prometheus
  # tests and checks
  shellcheck strace nftables pebble gnutls-bin libnss3-tools testssl.sh
)

main() {
  check_system
  if [ "${1:-}" = modules ]; then
    packages=()
  elif [ "${1:-}" = check ]; then
    packages=(git shellcheck)
  else
    want packer packer
    if [ "${1:-}" != up ]; then
      packages+=("${others[@]}")
      want chromium chromium
    fi
  fi
  want npm nodejs npm
  local missing
  mapfile -t missing < <(missing_packages)
  if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
  install_node_modules "${2:-}"
}

check_system() {
  if [ "$(uname -m)" != x86_64 ] || ! command -v apt-get > /dev/null; then
    echo 'Debian 12 or Ubuntu 24.04 on x86-64 is required.' >&2
    exit 1
  fi
}

# want COMMAND PACKAGE...: adds the packages unless the command exists, wherever it comes from.
want() {
  if ! command -v "$1" > /dev/null; then packages+=("${@:2}"); fi
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    if ! dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null | grep -qx installed; then
      echo "$package"
    fi
  done
}

install_packages() {
  local had_nginx=yes had_prometheus=yes
  if ! command -v nginx > /dev/null; then had_nginx=no; fi
  if ! command -v prometheus > /dev/null; then had_prometheus=no; fi

  echo "==> Installing $# Debian packages: $*"
  as_root apt-get -q update
  check_archive "$@"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
  if [ "$had_nginx" = no ]; then stop_unit nginx; fi
  if [ "$had_prometheus" = no ]; then stop_unit prometheus; fi
}

# Ubuntu 24.04 has no Packer (its licence changed), and Chromium only as a snap, which cannot read other home folders.
check_archive() {
  local is_whole=yes
  if is_absent packer "$@"; then
    is_whole=no
    cat >&2 <<'END'
Packer is not in this system's archive. Install any version from 1.6.6 on, with `packer` on the PATH:
  https://developer.hashicorp.com/packer/install
and its QEMU plugin beside it (`packer init packer`). Then run this again.
END
  fi
  if is_absent chromium "$@"; then
    is_whole=no
    cat >&2 <<'END'
Chromium is not in this system's archive. Install Google Chrome instead, as `chromium` on the PATH:
  https://www.google.com/chrome/ (then: ln -s /usr/bin/google-chrome /usr/local/bin/chromium)
Then run this again.
END
  fi
  if [ "$is_whole" = no ]; then exit 1; fi
}

# is_absent PACKAGE MISSING...: whether the package is among the missing ones, and not in the archive.
is_absent() {
  [[ " ${*:2} " == *" $1 "* ]] && ! apt-cache show "$1" > /dev/null 2>&1
}

# stop_unit NAME: on installation Debian starts nginx and Prometheus on their usual ports. The tests start their own.
stop_unit() {
  if [ -d /run/systemd/system ]; then as_root systemctl disable --now "$1"; fi
}

# Installs what package-lock.json lists, if that file has changed; from a bundle's cache if one is given.
install_node_modules() {
  if [ node_modules/.package-lock.json -nt package-lock.json ]; then return; fi
  echo '==> npm ci'
  # Not its warnings: it runs on the system's Node.js, for which many packages are too new; they run on their own.
  local options=(--no-audit --no-fund --loglevel=error)
  if [ -z "$1" ]; then
    npm ci "${options[@]}"
  else
    # npm writes to its cache even offline, and a bundle stays as it is.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp -r "$1/." "$copy"
    npm ci "${options[@]}" --offline --logs-max=0 --cache="$copy"
  fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi
}

main "$@"
