#!/usr/bin/env bash
# Sets modes of the copied files, links the executable, and runs the framework's install stage.
set -euo pipefail

release=/tmp/slm-copilot-release.json

chown -R root:root /etc/one-appliance /etc/one-context.d /opt/one-appliance
chmod 0755 /etc/one-appliance/service /etc/one-appliance/service.d/appliance.sh /etc/one-context.d/{loc,net}-*
chmod 0644 /etc/one-appliance/lib/*.sh
chmod 0755 /opt/one-appliance/bin/slm-copilot
for stage in install configure bootstrap; do
  ln -sf slm-copilot "/opt/one-appliance/bin/$stage"
done

# An empty file means none: the executable then installs its built-in release.
if [ -s "$release" ]; then export SLM_COPILOT_RELEASE=$release; fi

# A bundle's server: an HTTP proxy for apt, whose metadata may be older than Debian considers valid, and a mirror.
apt_options=/etc/apt/apt.conf.d/00bundle
if [ -n "${BUNDLE_SERVER:-}" ]; then
  printf '%s;\n' "Acquire::http::Proxy \"$BUNDLE_SERVER\"" 'Acquire::Check-Valid-Until "false"' > "$apt_options"
  export SLM_COPILOT_MIRROR=$BUNDLE_SERVER/files
fi

/etc/one-appliance/service install
rm -f "$release" "$apt_options"
