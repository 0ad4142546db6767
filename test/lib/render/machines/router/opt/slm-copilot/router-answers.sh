#!/bin/sh
# Written by slm-copilot.
# Fails if HAProxy or nginx does not answer, or if this router has been drained: then another one takes the floating address.
# Until it has been drained, it keeps it, and so its clients' connections.
status=$(curl --disable --silent --fail --fail-early --max-time 2 --unix-socket /run/slm-copilot-admission/admission.sock http://localhost/admission-status \
    --next --silent --max-time 2 --output /dev/null http://127.0.0.1:80/) || exit 1
[ -e /run/slm-copilot-draining ] || exit 0
# The request for the status is one itself.
case $status in *'Writing: 1 '*) exit 1 ;; esac
