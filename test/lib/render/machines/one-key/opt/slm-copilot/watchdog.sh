#!/bin/sh
# Written by slm-copilot.
# Exits at once while all is well, or a stage is at work; otherwise runs the executable, which takes longer and keeps a history.
set -u

# The processes of a unit.
pids() {
    cat "/sys/fs/cgroup/system.slice/$1/cgroup.procs" 2> /dev/null
}

# Asks llama-server's queue, the admission proxy (on a router, HAProxy) and the edge proxy. Without its folder, llama-server
# is not meant to run.
all_answer() {
    if [ -d /run/slm-copilot ]; then
        set -- --fail --max-time 5 --unix-socket /run/slm-copilot/llama.sock http://localhost/lora-adapters --next --silent
    else
        set --
    fi
    curl --disable --fail-early --silent "$@"         --max-time 5 --unix-socket /run/slm-copilot-admission/admission.sock http://localhost/health         --next --silent --max-time 5 http://127.0.0.1:80/ > /dev/null
}

# The services beside chat that run: each has its folder while it does.
companions_answer() {
    for folder in /run/slm-copilot-completion /run/slm-copilot-embeddings /run/slm-copilot-reranking; do
        [ ! -d "$folder" ] ||
            curl --disable --silent --fail --max-time 5 --unix-socket "$folder/llama.sock" http://localhost/lora-adapters > /dev/null || return 1
    done
}

# A process is stopped (SIGSTOP): state T in the third field of proc_pid_stat(5).
one_is_stopped() {
    for pid in $(pids slm-copilot.service) $(pids slm-copilot-admission.service) $(pids slm-copilot-router.service) $(pids nginx.service); do
        read -r _ _ state _ < "/proc/$pid/stat" && [ "$state" = T ] && return 0
    done
    return 1
}

# llama-server has accepted requests, but none of its threads is running or waiting for a disk.
requests_wait() {
    for pid in $(pids slm-copilot.service); do
        grep -q ' 03 *[0-9]* /run/slm-copilot/llama.sock$' "/proc/$pid/net/unix" &&
            ! grep -q ') [RD] ' "/proc/$pid/task/"*/stat && return 0
    done
    return 1
}

# A connection that has just ended looks like a waiting one, until llama-server has closed its side.
requests_still_wait() {
    requests_wait && sleep 1 && requests_wait
}

# A stage restarts services itself, and waits for them.
stage_is_at_work() {
    [ -e /run/slm-copilot-locks/stages ] && flock --shared --nonblock --conflict-exit-code 75 /run/slm-copilot-locks/stages true
    [ $? = 75 ]
}

# Whether the unit has a process.
runs() {
    read -r _ < "/sys/fs/cgroup/system.slice/$1/cgroup.procs"
} 2> /dev/null

# The first stage since boot, which creates the lock, is still to come, and no service has been started before it.
nothing_is_started() {
    [ ! -e /run/slm-copilot-locks/stages ] && ! runs slm-copilot.service && ! runs slm-copilot-admission.service && ! runs nginx.service
}

# A certificate that nginx has, unless it cannot start, and that is still valid.
certificate_is_valid() {
    [ ! -e /etc/ssl/slm-copilot/current/fullchain.pem ] || openssl x509 -checkend 0 -noout -in /etc/ssl/slm-copilot/current/fullchain.pem > /dev/null
}

# Whether READY and the message of the day say what is true, the message is the one that was written for that, and no failed
# attempt is due again.
is_shown() {
    { read -r shown digest due < /run/slm-copilot-readiness; } 2> /dev/null || return 1
    if [ -e /run/slm-copilot-draining ]; then true_state=draining
    elif [ -e /run/slm-copilot-healthy ] && [ ! -e /run/slm-copilot-unavailable ]; then true_state=serving
    else true_state=unavailable; fi
    [ "$shown" = "$true_state" ] || return 1
    message=$({ sha256sum < /etc/motd || echo none; } 2> /dev/null)
    [ "${message%% *}" = "$digest" ] || return 1
    read -r now _ < /proc/uptime
    [ -z "$due" ] || [ "${now%.*}" -lt "$due" ]
}

stage_is_at_work && exit
nothing_is_started && exit
if ! [ -e /run/slm-copilot-healthy ] || ! all_answer || ! companions_answer || one_is_stopped || requests_still_wait || ! certificate_is_valid; then
    /opt/one-appliance/bin/slm-copilot watchdog || status=$?
fi
is_shown || systemctl start --no-block slm-copilot-readiness.service
exit "${status:-0}"
