#!/bin/sh
# Written by slm-copilot.
# nginx is never restarted by a package: its new program takes over while the old one finishes its streams.
while [ "${1#--}" != "$1" ]; do shift; done
case "${1%.service} $2" in
"nginx restart" | "nginx force-reload") exit 101 ;;
esac
exit 0
