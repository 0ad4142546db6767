#!/usr/bin/env bash
# Stand-in for OpenNebula's service appliance framework: runs one stage of the appliance.
#
# usage: service install|configure|bootstrap|help
#
# What a stage may run after what stands in status_allows (lib/functions.sh); the appliance's own part is
# service.d/appliance.sh, sourced here: its functions run in this shell, under `set -e` and this umask.
# shellcheck disable=SC2034  # most of these variables are for what is sourced below
set -e
umask 0077

ONE_SERVICE_DIR=/etc/one-appliance
ONE_SERVICE_LOGDIR=/var/log/one-appliance
ONE_SERVICE_STATUS=$ONE_SERVICE_DIR/status
# A shell variable, not exported: the appliance's script passes it on.
ONE_SERVICE_REPORT=$ONE_SERVICE_DIR/config
ONE_SERVICE_MOTD=/etc/motd
ONE_SERVICE_PIDFILE=/run/one-appliance-service.pid
ONE_SERVICE_PIPE=$ONE_SERVICE_LOGDIR/one_service_log.pipe
ONE_SERVICE_RECONFIGURABLE=

# shellcheck source=/dev/null
. "$ONE_SERVICE_DIR/lib/common.sh"
# shellcheck source=/dev/null
. "$ONE_SERVICE_DIR/lib/functions.sh"
# shellcheck source=/dev/null
. "$ONE_SERVICE_DIR/service.d/appliance.sh"

stage=${1:-help}
case $stage in
  install | configure | bootstrap) ;;
  help | -h | --help)
    print_help
    exit
    ;;
  *)
    msg error "unknown argument: $stage"
    exit 1
    ;;
esac

if runs_already; then
  msg warning "service runs already, as process $(< "$ONE_SERVICE_PIDFILE")"
  exit 0
fi
hold_lock "$0" "$@"
trap 'at_exit 2> /dev/null' INT QUIT TERM EXIT
echo $$ > "$ONE_SERVICE_PIDFILE"

if ! status_allows "$stage"; then exit 0; fi

set_status "$stage" started
mkdir -p "$ONE_SERVICE_LOGDIR"
chmod 0700 "$ONE_SERVICE_LOGDIR"

start_log "$ONE_SERVICE_LOGDIR/$stage.log"
"service_$stage" 2>&1
end_log

set_status "$stage" success
