/**
 * Faults that the appliance must survive, as shell commands that are run in it as root. test/README.md says which other
 * faults are tested where.
 */
import { stateFiles } from '../../lib/appliance/state-files.ts'

/** What a fault's commands may call. `stages`: as the framework does, with the current context; prints its status. */
export const helpers = `
stages() {
    (
        set -a
        . /run/one-context/one_env
        set +a
        /etc/one-appliance/service configure && /etc/one-appliance/service bootstrap
    ) < /dev/null > /tmp/stages 2>&1
    cat /etc/one-appliance/status
}
# Another password, so that the stages have something to write.
another_password() { echo "ONEAPP_COPILOT_PASSWORD=password-number-$1" >> /run/one-context/one_env; }
same_password() { sed -i '/^ONEAPP_COPILOT_PASSWORD=/d' /run/one-context/one_env; }
# Mounts a full file system with the same content over a folder.
fill() {
    mkdir -p /mnt/full
    mount -t tmpfs -o size=64m tmpfs /mnt/full
    cp -a "$1/." /mnt/full/
    mount --bind /mnt/full "$1"
    cat /dev/zero > "$1/zeros" 2> /dev/null || true
}
empty() { umount "$1" /mnt/full; }
# Waits for at most two minutes.
until_true() { for time in $(seq 600); do if "$@"; then return; fi; sleep 0.2; done; echo "in vain: $*"; }
until_serving() { until_true curl -fsk -o /dev/null https://127.0.0.1/health; }
until_file_has() { until_true grep -qs "$1" "$2"; }
`

export type Fault = {
  what: string
  /** What is kept: `serves` is asserted; a pattern is looked for in what the commands, \`status\` and the log say. */
  promise: string
  cause: string
  meanwhile: 'serves' | RegExp
  /** What an administrator would do. Without it, nobody does anything. */
  undo?: string
  /** It heals without another run of the stages. */
  heals?: boolean
}

const damages = { empty: '', truncated: '{"model": {"na', 'of a newer version': '{"version": 9, "a": 1}' }
const records = Object.values(stateFiles).filter(({ whenDamaged }) => 'consequence' in whenDamaged)
const overwrite = (path: string, text: string) => `[ ! -e ${path} ] || printf '%s' '${text}' > ${path}`

const damagedRecords: Fault[] = Object.entries(damages).map(([kind, text]) => ({
  what: `every record of earlier runs is ${kind}`,
  promise: 'they are ignored, with a warning, and written again',
  cause: `${records.map(({ path }) => overwrite(path, text)).join('\n')}\nstages; slm-copilot watchdog`,
  meanwhile: 'serves',
}))

export const faults: Fault[] = [
  ...damagedRecords,
  {
    what: 'the plan is truncated',
    promise: 'it is made again',
    cause: 'truncate --size 40 /etc/slm-copilot/plan.json; slm-copilot bootstrap || true',
    meanwhile: /plan.json is damaged .*Fix: run `slm-copilot configure/,
  },
  {
    what: 'the record of the release is empty',
    promise: 'it keeps serving; the stage says what to do',
    cause:
      'cp -p /opt/slm-copilot/release.json /tmp; : > /opt/slm-copilot/release.json; stages; cat /tmp/stages',
    meanwhile: /release.json is empty. Fix: run `slm-copilot install`/,
    undo: 'cp -p /tmp/release.json /opt/slm-copilot/',
  },
  {
    what: '/etc is read-only',
    promise: 'it keeps serving with the old settings',
    cause:
      'mount --bind /etc /etc; mount -o remount,bind,ro /etc; another_password 1; slm-copilot reconfigure || true',
    meanwhile: /could not be written: read-only file system\. It is unchanged\. Fix: mount/,
    undo: 'umount /etc; same_password',
  },
  ...(['/var/lib/slm-copilot', '/etc/slm-copilot', '/etc/nginx'] as const).map(
    (folder): Fault => ({
      what: `${folder} is full when the context changes`,
      promise: 'it keeps serving with the old settings',
      cause: `fill ${folder}; another_password 2; echo ONEAPP_COPILOT_CONTEXT_SIZE=4096 >> /run/one-context/one_env; stages; cat /tmp/stages`,
      meanwhile: /could not be written: no space left on device\. It is unchanged\. Fix: free space/,
      undo: `empty ${folder}; same_password; sed -i /CONTEXT_SIZE/d /run/one-context/one_env`,
    }),
  ),
  {
    what: 'the report cannot be written: its disk is full after all services have been started',
    promise: 'the stage fails, it serves',
    cause:
      'chmod 0644 /etc/one-appliance/config; fill /etc/profile.d; rm -f /etc/profile.d/slm-copilot.sh; cat /dev/zero > /etc/profile.d/more 2> /dev/null || true; stages; cat /tmp/stages',
    meanwhile: /slm-copilot.sh could not be written: no space left/,
    undo: 'empty /etc/profile.d',
  },
  {
    what: 'logs cannot be written while it serves, and llama-server is killed',
    promise: 'it starts again and serves without logs',
    cause: 'fill /var/log; pkill -KILL -x llama-server; sleep 1; until_serving',
    meanwhile: 'serves',
    undo: 'empty /var/log',
    heals: true,
  },
  {
    what: 'nginx’s configuration is broken by hand, and nginx dies, right after llama-server was killed',
    promise: 'the reason is in status; the next stage writes it anew',
    cause:
      'pkill -KILL -x llama-server; sleep 1; until_serving; echo "garbage {" > /etc/nginx/slm-copilot.conf; systemctl kill -s KILL nginx; sleep 2; slm-copilot status || true',
    meanwhile: /^ {2}reason +.*nginx/m,
  },
  {
    what: 'a stage fails after it has changed the password, and the context goes back',
    promise: 'the password before is accepted, the other one is not',
    cause: `accepted() { curl -sk -o /dev/null -w "$1 %{http_code}\\n" -H "Authorization: Bearer $2" https://127.0.0.1/v1/models; }
another_password before; stages
same_password; another_password refused; chmod 0 /run/slm-copilot/llama.sock; stages; chmod 660 /run/slm-copilot/llama.sock
accepted meanwhile password-number-refused
same_password; another_password before; stages
accepted before password-number-before; accepted refused password-number-refused`,
    meanwhile: /bootstrap_failure\nmeanwhile 200\nbootstrap_success\nbefore 200\nrefused 401/,
    undo: 'same_password',
  },
  {
    what: 'the stages run, and certificates are made, while the clock says 1970 and 2040, which is then put right',
    promise: 'the VM is ready, clients accept the certificates, and the renewal replaces them by usual ones',
    cause: `apt-get -qq update && apt-get -qq install -y faketime > /dev/null
cp -a /etc/ssl/slm-copilot /root/tls; rm -r /etc/ssl/slm-copilot/*
accepted() { curl -s --cacert /etc/ssl/slm-copilot/ca.crt -o /dev/null -w "$1: %{http_code}, lasts for years: " https://10.0.2.15/health
    openssl x509 -checkend $((900 * 86400)) -noout -in /etc/ssl/slm-copilot/current/fullchain.pem > /dev/null && echo yes || echo no; }
for year in 1970 2040; do
    in_that_year() { faketime -f "@$year-01-02 00:00:00" /opt/one-appliance/bin/slm-copilot "$@"; }
    in_that_year reconfigure && tr -s '\n ' ' ' < /etc/one-appliance/config | grep -o "clock of this VM says $year-01-02"
    in_that_year watchdog; in_that_year status | head -n 1; in_that_year doctor | grep -A 1 'clock, which no time source confirms'
    accepted "made in $year"; slm-copilot renew; accepted renewed
done`,
    meanwhile: new RegExp(
      [1970, 2040]
        .map(year =>
          [
            `clock of this VM says ${year}-01-02\\nSLM-Copilot is serving`,
            `clock, which no time source confirms, says ${year}-01-02\\n`,
            `made in ${year}: 200, lasts for years: yes\\nrenewed: 200, lasts for years: no`,
          ].join('.*'),
        )
        .join('.*'),
      's',
    ),
    undo: 'rm -r /etc/ssl/slm-copilot/*; cp -a /root/tls/. /etc/ssl/slm-copilot/; rm -r /root/tls',
  },
  {
    what: 'nginx’s default site is back',
    promise: 'it has no effect: the configuration is the appliance’s own',
    cause: 'ln -sf ../sites-available/default /etc/nginx/sites-enabled/default; systemctl reload nginx',
    meanwhile: 'serves',
  },
  {
    what: 'port 443 is taken by another program',
    promise: 'the stage says by what it failed; nginx starts once the port is free',
    cause: `systemctl stop nginx
systemd-run --quiet --unit=thief perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0);setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1);bind(S,sockaddr_in(443,INADDR_ANY))||die;listen(S,5);sleep 600'
sleep 1; stages; cat /tmp/stages`,
    meanwhile: /bind\(\) to 0\.0\.0\.0:443 failed \(98: Address already in use\)/,
    undo: 'systemctl stop thief',
    heals: true,
  },
  {
    what: 'the model file is truncated, and llama-server is killed',
    promise: 'status says that it is being restarted and why; the restored file is served by itself',
    cause: `model=$(ls /opt/slm-copilot/models/*.gguf | head -n 1); cp -p $model /tmp/model; truncate --size 1M $model
pkill -KILL -x llama-server; sleep 5; cat /run/slm-copilot-unavailable`,
    meanwhile: /llama-server exited with code 1 .*(restarted|loading)/s,
    undo: 'cp -p /tmp/model $(ls /opt/slm-copilot/models/*.gguf | head -n 1)',
    heals: true,
  },
  {
    what: 'a bit of the model file has been flipped',
    promise: 'the report says that it is not the verified file',
    cause: `model=$(ls /opt/slm-copilot/models/*.gguf | head -n 1); cp -p $model /tmp/model
printf x | dd of=$model bs=1 seek=5000000 conv=notrunc status=none; stages; cat /tmp/stages`,
    meanwhile: /weights|digest|verified|SHA-256/,
    undo: 'cp -p /tmp/model $(ls /opt/slm-copilot/models/*.gguf | head -n 1)',
  },
  {
    what: 'users and groups of the services are removed, and these die',
    promise: 'the next stage creates them again',
    cause: `sed -i -E '/^(slm-copilot|www-data):/d' /etc/passwd /etc/group /etc/shadow
systemctl kill -s KILL slm-copilot slm-copilot-admission; sleep 2; slm-copilot status || true`,
    meanwhile: /not serving/i,
  },
  {
    what: 'the DNS server does not answer, and a domain is set',
    promise: 'it serves with its own certificate, and says why',
    cause: `cp -L /etc/resolv.conf /tmp/resolv; rm /etc/resolv.conf; echo nameserver 192.0.2.1 > /etc/resolv.conf
printf '%s\\n' ONEAPP_COPILOT_DOMAIN=dead.example.com ONEAPP_COPILOT_TLS_ACME_URL=https://acme.example.com/ >> /run/one-context/one_env
stages; cat /tmp/stages`,
    meanwhile: /No certificate from .*dead\.example\.com/,
    undo: 'cat /tmp/resolv > /etc/resolv.conf; sed -i "/_DOMAIN=\\|_ACME_URL=/d" /run/one-context/one_env',
  },
  {
    what: 'the address changes while it runs',
    promise: 'certificate and report name the new one within half a minute, without anybody’s doing',
    cause: `ip address add 10.0.2.77/24 dev eth0
until_file_has '^10.0.2.77$' /run/slm-copilot-addresses; until_file_has https://10.0.2.77/v1 /etc/one-appliance/config
openssl x509 -in /etc/ssl/slm-copilot/current/fullchain.pem -noout -ext subjectAltName`,
    meanwhile: /IP Address:10\.0\.2\.77/,
    undo: "ip address del 10.0.2.77/24 dev eth0; lacks() { ! grep -qs '^10.0.2.77$' /run/slm-copilot-addresses; }; until_true lacks",
    heals: true,
  },
  {
    what: 'an interface gets its address before its link',
    promise: 'it serves under that address once there is a link',
    cause: `ip link add nic1 type veth peer name nic1-peer; ip address add 10.9.8.7/24 dev nic1; ip link set nic1 up
until_file_has '^10.9.8.7$' /run/slm-copilot-addresses-tried; systemctl start slm-copilot-reconfigure.service
ip link set nic1-peer up; until_file_has https://10.9.8.7/v1 /etc/one-appliance/config; grep -c https://10.9.8.7/v1 /etc/one-appliance/config`,
    meanwhile: /^[1-9]/m,
    undo: "ip link del nic1; lacks() { ! grep -qs '^10.9.8.7$' /run/slm-copilot-addresses; }; until_true lacks",
    heals: true,
  },
  {
    what: 'there is no network when the stages run, and later there is one',
    promise: 'it serves locally at once, and under its address within half a minute',
    cause: `ip address flush dev eth0; stages; curl -sk -o /dev/null -w 'local %{http_code}\\n' https://127.0.0.1/health
ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2
until_file_has 'https://10.0.2.15/v1' /etc/one-appliance/config`,
    meanwhile: /bootstrap_success\nlocal 200/,
    heals: true,
  },
  {
    what: 'IPv6 is all there is',
    promise: 'it serves under its IPv6 address',
    cause: `ip address flush dev eth0; ip -6 address add fd00::5/64 dev eth0 nodad; stages
curl -s --cacert /etc/ssl/slm-copilot/ca.crt -o /dev/null -w 'over IPv6 %{http_code}\\n' 'https://[fd00::5]/health'
grep -F 'https://[fd00::5]/v1' /etc/one-appliance/config | head -n 1
ip -6 address del fd00::5/64 dev eth0; ip address add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2`,
    meanwhile: /bootstrap_success\nover IPv6 200\nendpoint/,
  },
  {
    what: 'stages run at the same time',
    promise: 'one waits for the other',
    cause: `slm-copilot reconfigure > /tmp/first 2>&1 & slm-copilot reconfigure > /tmp/second 2>&1 & slm-copilot renew > /dev/null & wait
grep -h 'Ready\\.' /tmp/first /tmp/second | wc -l`,
    meanwhile: /^2$/m,
    heals: true,
  },
  {
    what: 'the framework’s status is empty, since it was killed while writing it',
    promise: 'the stages run again',
    cause: ': > /etc/one-appliance/status',
    meanwhile: 'serves',
  },
  {
    what: 'the framework’s pipe is left behind',
    promise: 'the context hook removes it',
    cause: `mkfifo -m 0600 /var/log/one-appliance/one_service_log.pipe
systemctl start one-context-reconfigure.service; cat /etc/one-appliance/status`,
    meanwhile: /bootstrap_success/,
    heals: true,
  },
  {
    what: 'the context disk is gone',
    promise: 'it keeps serving',
    cause: `disk=$(blkid -t LABEL=CONTEXT -o device | head -n 1); cp -a $disk /tmp/disk; echo $disk > /tmp/disk-name; rm $disk
systemctl start one-context-reconfigure.service; true`,
    meanwhile: 'serves',
    undo: 'cp -a /tmp/disk $(cat /tmp/disk-name)',
    heals: true,
  },
  {
    what: 'the stages are killed at twelve random moments, between changes of password and context',
    promise: 'the next run converges',
    cause: `for time in 1 2 3 4 5 6 7 8 9 10 11 12; do
    same_password; another_password "of-kill-$time"; sed -i /CONTEXT_SIZE/d /run/one-context/one_env
    echo "ONEAPP_COPILOT_CONTEXT_SIZE=$((2048 + 1024 * (time % 3)))" >> /run/one-context/one_env
    stages > /dev/null 2>&1 & sleep "$(shuf -i 0-4 -n 1).$(shuf -i 0-9 -n 1)"
    pkill -KILL -f '^(/bin/bash )?/etc/one-appliance/service|^/opt/one-appliance/bin/(configure|bootstrap)'; wait
done 2> /dev/null
same_password; sed -i /CONTEXT_SIZE/d /run/one-context/one_env; rm -f /var/log/one-appliance/one_service_log.pipe`,
    meanwhile: /^/,
  },
]
