/** What a bake would leave in an image, and what one VM must not share with another. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `find`: the offending files below the image's root. */
export type Trace = { what: string; find: (root: string) => string[] }

/** Files that should not exist. */
const absent = (what: string, ...patterns: string[]): Trace => ({
  what,
  find: root => globSync(patterns, { cwd: root }).toSorted(),
})

/** Files that should be empty, if they exist. */
const empty = (what: string, ...patterns: string[]): Trace => ({
  what,
  find: root =>
    globSync(patterns, { cwd: root })
      .filter(path => isFilled(join(root, path)))
      .toSorted(),
})

const isFilled = (path: string) => existsSync(path) && statSync(path).isFile() && statSync(path).size > 0

/** Text that should be in none of these files. */
const unmentioned = (what: string, text: string | RegExp, ...patterns: string[]): Trace => ({
  what,
  find: root =>
    globSync(patterns, { cwd: root })
      .filter(path => {
        const file = join(root, path)
        return existsSync(file) && statSync(file).isFile() && readFileSync(file, 'utf8').search(text) >= 0
      })
      .toSorted(),
})

export const traces: Trace[] = [
  empty('machine ID', 'etc/machine-id', 'var/lib/dbus/machine-id'),
  absent('SSH host keys', 'etc/ssh/ssh_host_*'),
  absent('random seed', 'var/lib/systemd/random-seed', 'var/lib/systemd/credential.secret'),
  empty('logs', 'var/log/**/*'),
  absent('journal', 'var/log/journal/*'),
  absent(
    'rotated logs, logs of the installation',
    'var/log/**/*.gz',
    'var/log/**/*.[0-9]',
    'var/log/{apt,installer}',
  ),
  absent('records of logins', 'var/lib/{lastlog,wtmpdb}/*'),
  absent('histories', '{root,home/*}/.{bash_history,python_history,lesshst,viminfo,wget-hsts}'),
  absent('SSH keys of users', '{root,home/*}/.ssh/*'),
  absent('caches of users', '{root,home/*}/.cache'),
  absent('apt lists', 'var/lib/apt/lists/*_*', 'var/cache/apt/archives/*.deb', 'var/cache/apt/*.bin'),
  absent(
    'backups of passwd and alike',
    'etc/*-',
    'var/backups/*',
    'var/lib/dpkg/*-old',
    'var/cache/debconf/*-old',
  ),
  absent('DHCP leases', 'var/lib/{dhcp,dhcpcd,NetworkManager}/*'),
  absent(
    'network configuration',
    'etc/systemd/network/*.network',
    'etc/netplan/*',
    'etc/udev/rules.d/*persistent-net*',
  ),
  empty('resolver', 'etc/resolv.conf', 'etc/network/interfaces'),
  absent(
    'cloud-init',
    'usr/bin/cloud-init',
    'etc/**/*cloud-init*',
    'etc/cloud',
    'var/lib/{cloud,one-context/cloudinit}',
    'var/log/cloud-init*',
  ),
  absent('temporary files', 'tmp/*', 'tmp/.*', 'var/tmp/*'),
  absent('clock, timers', 'var/lib/systemd/{timesync/clock,timers/stamp-*}', 'var/lib/chrony/*'),
  absent(
    'crashes, mail, crontabs',
    'var/crash/*',
    'var/lib/systemd/coredump/*',
    'var/mail/*',
    'var/spool/cron/crontabs/*',
  ),
  absent('private keys', 'etc/ssl/private/*', 'etc/ssl/slm-copilot/*', 'etc/letsencrypt/{live,accounts}/*'),
  absent('password, downloaded models, prompts', 'var/lib/slm-copilot/*'),
  absent(
    'context of the bake',
    'run/one-context/*',
    'var/lib/one-context/tmp',
    'context',
    'etc/one-appliance/config',
  ),
  absent('settings for the bake', 'etc/needrestart/conf.d/*-slm-copilot-bake*', 'opt/slm-copilot/**/*.part'),
  // Ours only keeps packages from restarting nginx.
  unmentioned('a policy against starting services', /^exit 101/m, 'usr/sbin/policy-rc.d'),
  unmentioned(
    'its MAC address, its key',
    /02:00:0a:00:02:0f|ssh-ed25519 \S+ bake/i,
    'etc/**/*',
    'root/**/*',
    'var/lib/{systemd,slm-copilot}/**/*',
  ),
]
