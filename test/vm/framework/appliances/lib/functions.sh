# shellcheck shell=bash disable=SC2154
# Stand-in: the framework's own functions: help, lock, status, message of the day, log.
# SC2154: the ONE_SERVICE_ variables are service.sh's, and the appliance's.

# One line for each of the parameters: name, stage, description, user input; four entries of a flat array.
print_help() {
  local i
  if declare -F service_help > /dev/null; then
    service_help
    return
  fi
  echo 'usage: service install | configure | bootstrap | help'
  for ((i = 0; i < ${#ONE_SERVICE_PARAMS[@]}; i += 4)); do
    printf '  %-9s  %s: %s\n' "${ONE_SERVICE_PARAMS[i + 1]}" "${ONE_SERVICE_PARAMS[i]}" "${ONE_SERVICE_PARAMS[i + 2]}"
  done
}

runs_already() {
  [ -s "$ONE_SERVICE_PIDFILE" ] && kill -0 "$(< "$ONE_SERVICE_PIDFILE")" 2> /dev/null
}

# The lock is held by a flock that runs this script again, until the script and what it started are gone.
hold_lock() {
  if [ "${_SERVICE_LOCK:-}" = "$1" ]; then return; fi
  exec env _SERVICE_LOCK="$1" flock --exclusive --nonblock "$1" "$@"
}

status() {
  if [ -f "$ONE_SERVICE_STATUS" ]; then cat "$ONE_SERVICE_STATUS"; fi
}

# Returns 0 for go, 1 for nothing to do; leaves with an error where the stage is out of order.
status_allows() {
  local stage=$1 now
  now=$(status)
  case $stage:$now in
    install: | configure:install_success | bootstrap:configure_success) return 0 ;;
    install:install_success)
      msg warning 'installed already'
      return 1
      ;;
    install:install_started) set_status install failure ;;
    configure:configure_* | configure:bootstrap_* | bootstrap:bootstrap_*)
      if is_true ONE_SERVICE_RECONFIGURABLE; then return 0; fi
      if [ "$now" = "${stage}_success" ]; then return 1; fi
      ;;
  esac
  msg error "$stage cannot run after '$now': see $ONE_SERVICE_STATUS" || exit 1
}

# set_status STAGE started|success|failure
set_status() {
  echo "$1_$2" > "$ONE_SERVICE_STATUS"
  case $1_$2 in
    bootstrap_success) echo 'All set and ready to serve' ;;
    *_started) echo "The $1 step is in progress. Please wait." ;;
    *_success) echo "The $1 step was successful." ;;
    *_failure) echo "APPLIANCE ERROR: the $1 step failed." ;;
  esac > "$ONE_SERVICE_MOTD"
}

# From here on what the shell prints goes through a named pipe to tee, which writes the log and the old stdout.
start_log() {
  # Named first: one that a power cut left makes mknod and the stage fail, and is gone after that.
  log_pipe=$ONE_SERVICE_PIPE
  mknod "$log_pipe" p
  tee -a "$1" < "$log_pipe" &
  exec 3>&1 > "$log_pipe"
}

end_log() {
  exec >&3 3>&-
}

at_exit() {
  local now
  set +e
  service_cleanup
  if [ -n "${log_pipe:-}" ]; then rm -f "$log_pipe"; fi
  now=$(status)
  if [ "${now#*_}" = started ]; then set_status "${now%_*}" failure; fi
  rm -f "$ONE_SERVICE_PIDFILE"
}
