#!/bin/sh
# Written by slm-copilot.
# Has the stages run again if this VM has other addresses than at the last configure: DHCP may change them at any time.
set -u
export LC_ALL=C

# Whether these are the addresses in the file. Floating ones come and go.
is_in() {
    [ -e "$1" ] && [ "$2" = "$(sed '/^floating /d' "$1")" ]
}

# Before the first configure there is nothing to do.
[ -e /run/slm-copilot-addresses ] || exit 0
floating=$(sed -n 's/^floating //p' /run/slm-copilot-addresses)
now=$(hostname -I | tr ' ' '\n' | grep -vxF -e "$floating" -e '' | sort -u)

# Nor while there is no network.
[ -n "$now" ] || exit 0
is_in /run/slm-copilot-addresses "$now" && exit 0
tried="$now
$(ip -brief link)"
is_in /run/slm-copilot-addresses-tried "$tried" && exit 0
printf '%s\n' "$tried" > /run/slm-copilot-addresses-tried
echo "The addresses of this VM have changed, and are now: $(echo "$now" | tr '\n' ' ')"
exec systemctl --no-block start slm-copilot-reconfigure.service
