/** The bake's clean-up, run in a copy of the base image with traces planted in it, of cloud images too. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { baseImage } from '../../packer/build/base-image.ts'
import { traces } from '../support/traces.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const work = mkdtempSync(join(tmpdir(), 'clean-up-'))
const root = join(work, 'root')

/** Each is written before the clean-up. */
const planted = [
  'etc/machine-id',
  'etc/ssh/ssh_host_rsa_key',
  'etc/shadow-',
  'etc/resolv.conf',
  'etc/network/interfaces',
  'etc/cloud/cloud.cfg',
  'etc/netplan/50-cloud-init.yaml',
  'etc/netplan/50-one-context.yaml',
  'etc/systemd/network/eth0.network',
  'etc/udev/rules.d/70-persistent-net.rules',
  'etc/ssl/private/ssl-cert-snakeoil.key',
  'home/debian/.bash_history',
  'home/debian/.ssh/authorized_keys',
  'root/.bash_history',
  'root/.cache/pip/wheel',
  'root/.lesshst',
  'root/.ssh/authorized_keys',
  'root/.wget-hsts',
  'tmp/.X0-lock',
  'tmp/script_1234.sh',
  'var/tmp/package',
  'var/crash/core',
  'var/mail/root',
  'var/backups/dpkg.status.0',
  'var/cache/apt/pkgcache.bin',
  'var/lib/apt/lists/deb.debian.org_dists_InRelease',
  'var/lib/chrony/drift',
  'var/lib/cloud/instance/user-data.txt',
  'var/lib/dhcp/dhclient.leases',
  'var/lib/NetworkManager/internal.lease',
  'var/lib/systemd/random-seed',
  'var/lib/systemd/timers/stamp-apt-daily.timer',
  'var/lib/systemd/timesync/clock',
  'var/lib/wtmpdb/wtmp.db',
  'var/log/apt/history.log',
  'var/log/auth.log',
  'var/log/dpkg.log.1',
  'var/log/journal/0123456789abcdef/system.journal',
  'var/log/letsencrypt/letsencrypt.log',
  'var/log/one-appliance/install.log',
  'var/log/syslog.2.gz',
  'var/log/wtmp',
]

/** Those that must not even stay in free blocks. */
const isKey = (path: string) => /ssh|history|seed|journal/.test(path)

const inRoot = (...command: string[]) =>
  execFileSync('chroot', [root, 'env', 'PATH=/stubs:/usr/sbin:/usr/bin:/sbin:/bin', ...command], {
    encoding: 'utf8',
  })

function writeInside(path: string, text: string, mode = 0o644): void {
  mkdirSync(join(root, dirname(path)), { recursive: true })
  writeFileSync(join(root, path), text)
  chmodSync(join(root, path), mode)
}

/** Copies a script into /run, runs it there, and returns what the stubs have recorded. */
function runScript(name: string): string {
  writeInside('run/calls', '')
  copyFileSync(join(checkout, 'packer', 'provision', name), join(root, 'run', name))
  inRoot('bash', `/run/${name}`)
  return readFileSync(join(root, 'run', 'calls'), 'utf8')
}

beforeAll(async () => {
  const { disk } = await baseImage(join(checkout, 'test', 'vm', 'framework'))
  const raw = join(work, 'raw')
  execFileSync('qemu-img', ['convert', '-O', 'raw', disk, raw])
  mkdirSync(root)
  execFileSync('mount', ['-o', 'loop,offset=1048576', raw, root])
  execFileSync('mount', ['--bind', '/dev', join(root, 'dev')])
  execFileSync('mount', ['-t', 'proc', 'proc', join(root, 'proc')])
  // There is no systemd in here: what it is asked for is recorded.
  for (const command of ['systemctl', 'journalctl', 'fstrim'])
    writeInside(`stubs/${command}`, `#!/bin/sh\necho "${command} $*" >> /run/calls\n`, 0o755)
})
afterAll(() => {
  execFileSync('umount', ['--recursive', root])
  rmSync(work, { recursive: true })
})

describe('needrestart', () => {
  const file = 'etc/needrestart/conf.d/90-slm-copilot-bake.conf'

  it('is left alone where there is none', () => {
    runScript('needrestart.sh')
    expect(() => readFileSync(join(root, file))).toThrow('ENOENT')
  })

  it('only lists services, as its own Perl reads the setting', () => {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    runScript('needrestart.sh')
    const perl = `our %nrconf = (restart => 'a'); do '/${file}' or die; print $nrconf{restart}`
    expect(inRoot('perl', '-e', perl)).toBe('l')
  })
})

describe('the clean-up', () => {
  let calls = ''
  let found: string[] = []
  /** The planted keys in all blocks of the disk, also free ones. */
  const keysInBlocks = () =>
    String(
      spawnSync('grep', ['--text', '--only-matching', 'ssh-ed25519 key of [a-z0-9_./-]*', join(work, 'raw')])
        .stdout,
    )
  let keysBefore = ''
  beforeAll(() => {
    for (const path of planted)
      writeInside(path, isKey(path) ? `ssh-ed25519 key of ${path}\n` : 'ssh-ed25519 AAAA bake\n')
    inRoot('sync')
    keysBefore = keysInBlocks()
    found = traces.flatMap(({ find }) => find(root))
    runScript('no-cloud-init.sh')
    calls = runScript('clean-up.sh')
  })

  it.each(traces)('leaves nothing behind: $what', ({ find }) => {
    expect(find(root)).toEqual([])
  })

  it('is tested by traces that find each planted file', () => {
    expect(planted.filter(path => !found.some(each => path.startsWith(each)))).toEqual([])
  })

  it('stops what would save its state at shutdown, then trims the disk', () => {
    expect(calls).toMatch(/systemctl stop systemd-random-seed/)
    expect(calls).toMatch(/systemctl stop systemd-update-utmp/)
    expect(calls).toMatch(/journalctl --quiet --relinquish-var/)
    expect(calls.trim()).toMatch(/fstrim --all$/)
  })

  it('overwrites keys, which would otherwise stay in free blocks', () => {
    for (const path of planted.filter(isKey)) expect(keysBefore).toContain(path)
    inRoot('sync')
    expect(keysInBlocks()).toBe('')
  })

  it('can be run again', () => {
    expect(runScript('clean-up.sh')).toContain('fstrim')
  })
})
