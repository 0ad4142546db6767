#!/usr/bin/env bash
# Writes the software bill of materials and the licence texts, when all packages are in the image.
set -euo pipefail

options=()
if [ -n "${ONE_APPS_COMMIT:-}" ]; then options=(--one-apps "$ONE_APPS_COMMIT"); fi
/opt/one-appliance/bin/slm-copilot sbom "${options[@]}"
