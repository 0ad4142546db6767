# shellcheck shell=bash disable=SC2034
# Stand-in: what the context agent needs on each kind of system; read by generate.sh and by who makes an image.
case "${TARGET:-}" in
  deb) DEPENDS='curl cloud-guest-utils openssh-server' ;;
  *) echo "no such target: ${TARGET:-}" >&2; exit 1 ;;
esac
