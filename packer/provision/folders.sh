#!/usr/bin/env bash
# Creates the folders that the framework's files and ours are copied to.
set -euo pipefail

install -d -m 0750 /etc/one-appliance /etc/one-appliance/lib /etc/one-appliance/service.d
install -d -m 0755 /etc/one-context.d /opt/one-appliance /opt/one-appliance/bin
