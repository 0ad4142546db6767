#!/bin/sh
# Written by slm-copilot.
# Has the stages run again if this VM has other addresses than at the last configure: DHCP may change them at any time.
set -u
export LC_ALL=C

# Whether that is what the file contains.
is_in() {
    [ -e "$1" ] && [ "$2" = "$(cat "$1")" ]
}

now=$(hostname -I | tr ' ' '\n' | sed '/^$/d' | sort -u)

# Before the first configure, and while there is no network, there is nothing to do.
[ -e /run/slm-copilot-addresses ] && [ -n "$now" ] || exit 0
is_in /run/slm-copilot-addresses "$now" && exit 0
tried="$now
$(ip -brief link)"
is_in /run/slm-copilot-addresses-tried "$tried" && exit 0
printf '%s\n' "$tried" > /run/slm-copilot-addresses-tried
echo "The addresses of this VM have changed, and are now: $(echo "$now" | tr '\n' ' ')"
exec systemctl --no-block start slm-copilot-reconfigure.service
