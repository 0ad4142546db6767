#!/bin/sh
# Written by slm-copilot.
# Has the stages run again if this VM has other addresses than at the last configure: DHCP may change them at any time.
set -u
export LC_ALL=C
now=$(hostname -I | tr ' ' '\n' | sed '/^$/d' | sort -u)

# Before the first configure, and while there is no network, there is nothing to do.
[ -e /run/slm-copilot-addresses ] && [ -n "$now" ] || exit 0
for known in /run/slm-copilot-addresses /run/slm-copilot-addresses-tried; do
    if [ -e "$known" ] && [ "$now" = "$(cat "$known")" ]; then exit 0; fi
done
printf '%s\n' "$now" > /run/slm-copilot-addresses-tried
echo "The addresses of this VM have changed, and are now: $(echo $now)"
exec systemctl --no-block start slm-copilot-reconfigure.service
