/** The watchdog: a timer, a quick check by a shell script, and the executable if the check is not satisfied. */
import { healthUrl, modelServices, paths, ports, queueUrl, units } from '../../appliance/paths.ts'
import { companionKinds } from '../../appliance/requests/services.ts'
import { checkEvery, replyTimeout } from '../../appliance/services/watchdog.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

const companions = companionKinds.map(kind => modelServices[kind])

/**
 * The quick check. It takes a few hundredths of a second of CPU time, starting the executable 0.3 s. It exits
 * only if it has established that all is well, or that there is nothing to judge yet; in any other case, the executable
 * judges.
 */
export const quickCheck = () => `#!/bin/sh
${written}
# Exits at once while all is well, or a stage is at work; otherwise runs the executable, which takes longer and keeps a history.
set -u

# The processes of a unit.
pids() {
    cat "/sys/fs/cgroup/system.slice/$1/cgroup.procs" 2> /dev/null
}

# Asks llama-server's queue, the admission proxy (on a router, HAProxy) and the edge proxy. Without its folder, llama-server
# is not meant to run.
all_answer() {
    if [ -d ${paths.socketFolder} ]; then
        set -- --fail --max-time ${replyTimeout} --unix-socket ${paths.socket} ${queueUrl} --next --silent
    else
        set --
    fi
    curl --disable --fail-early --silent "$@" \
        --max-time ${replyTimeout} --unix-socket ${paths.admissionSocket} ${healthUrl} \
        --next --silent --max-time ${replyTimeout} http://127.0.0.1:${ports.http}/ > /dev/null
}

# The services beside chat that run: each has its folder while it does.
companions_answer() {
    for folder in ${companions.map(({ socketFolder }) => socketFolder).join(' ')}; do
        [ ! -d "$folder" ] ||
            curl --disable --silent --fail --max-time ${replyTimeout} --unix-socket "$folder/llama.sock" ${queueUrl} > /dev/null || return 1
    done
}

# A process is stopped (SIGSTOP): state T in the third field of proc_pid_stat(5).
one_is_stopped() {
    for pid in $(pids ${units.llama}) $(pids ${units.admission}) $(pids ${units.router}) $(pids ${units.nginx}); do
        read -r _ _ state _ < "/proc/$pid/stat" && [ "$state" = T ] && return 0
    done
    return 1
}

# llama-server has accepted requests, but none of its threads is running or waiting for a disk.
requests_wait() {
    for pid in $(pids ${units.llama}); do
        grep -q ' 03 *[0-9]* ${paths.socket}$' "/proc/$pid/net/unix" &&
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
    [ -e ${paths.lock} ] && flock --shared --nonblock --conflict-exit-code 75 ${paths.lock} true
    [ $? = 75 ]
}

# Whether the unit has a process.
runs() {
    read -r _ < "/sys/fs/cgroup/system.slice/$1/cgroup.procs"
} 2> /dev/null

# The first stage since boot, which creates the lock, is still to come, and no service has been started before it.
nothing_is_started() {
    [ ! -e ${paths.lock} ] && ! runs ${units.llama} && ! runs ${units.admission} && ! runs ${units.nginx}
}

# A certificate that nginx has, unless it cannot start, and that is still valid.
certificate_is_valid() {
    [ ! -e ${paths.currentChain} ] || openssl x509 -checkend 0 -noout -in ${paths.currentChain} > /dev/null
}

# Whether READY and the message of the day say what is true, the message is the one that was written for that, and no failed
# attempt is due again.
is_shown() {
    { read -r shown digest due < ${paths.readiness}; } 2> /dev/null || return 1
    if [ -e ${paths.draining} ]; then true_state=draining
    elif [ -e ${paths.healthy} ] && [ ! -e ${paths.unavailableReason} ]; then true_state=serving
    else true_state=unavailable; fi
    [ "$shown" = "$true_state" ] || return 1
    message=$({ sha256sum < ${paths.messageOfTheDay} || echo none; } 2> /dev/null)
    [ "\${message%% *}" = "$digest" ] || return 1
    read -r now _ < /proc/uptime
    [ -z "$due" ] || [ "\${now%.*}" -lt "$due" ]
}

stage_is_at_work && exit
nothing_is_started && exit
if ! [ -e ${paths.healthy} ] || ! all_answer || ! companions_answer || one_is_stopped || requests_still_wait || ! certificate_is_valid; then
    ${paths.executable} watchdog || status=$?
fi
is_shown || systemctl start --no-block ${units.readiness}
exit "\${status:-0}"
`

/** Script, service, timer, and the link that makes systemd start the timer at boot. */
export const watchdogUnits = () => [
  { path: paths.watchdogScript, mode: 0o755, text: quickCheck() },
  {
    path: paths.watchdogService,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: restart a service that has hung
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=${paths.watchdogScript}
TimeoutStartSec=120
# Clients come first.
Nice=10
# Hides systemd's own two lines for each run; what the watchdog does is logged as a warning.
LogLevelMax=notice
SyslogLevel=warning
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_KILL CAP_SYS_PTRACE
RestrictAddressFamilies=AF_INET AF_UNIX
ProtectSystem=strict
ReadWritePaths=/run ${paths.state} /var/log/one-appliance
${hardening}
`,
  },
  {
    path: paths.watchdogTimer,
    mode: 0o644,
    text: `${written}
[Unit]
Description=SLM-Copilot: check every ${checkEvery} seconds whether the services answer

[Timer]
OnActiveSec=${checkEvery}
OnUnitInactiveSec=${checkEvery}
AccuracySec=1s

[Install]
WantedBy=timers.target
`,
  },
  { path: paths.watchdogWanted, link: paths.watchdogTimer },
]
