/** `slm-copilot upgrade` on a running appliance: signed releases that work, that fail, and that are killed half-way. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { releaseSchema } from '../../lib/appliance/models/release.ts'
import packageFile from '../../package.json' with { type: 'json' }
import { buildExecutable, shim } from '../../packer/build/executable.ts'
import { writeArchive } from '../../packer/build/release/archive.ts'
import { llamaRelease } from '../mirror/llama-release.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, untilServing } from './client.ts'
import type { Machine } from './machine.ts'
import { reboot } from './ready.ts'
import { readyContainer } from './shared.ts'
import { push, ssh, sshOutput } from './ssh.ts'

const work = mkdtempSync(join(tmpdir(), 'upgrade-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

let machine: Machine
let access: AccessFiles
let executable: string
const run = (command: string) => sshOutput(machine, command)
const version = async () => (await run('slm-copilot --version')).trim()
const key = (name: string) => join(work, name)

beforeAll(async () => {
  machine = await readyContainer()
  access = await readAccess(machine)
  executable = await buildExecutable()
  for (const name of ['publisher', 'stranger'])
    execFileSync('minisign', ['-G', '-W', '-p', key(`${name}.pub`), '-s', key(`${name}.key`)], {
      stdio: 'ignore',
    })
  for (const name of ['publisher.pub', 'stranger.pub'])
    await push(machine, key(name), `/root/${name}`, '0644')
  await pushRelease()
})

/** The executable of this checkout, as if it had another version of the same length. */
function executableOf(name: string): string {
  const [path, bytes] = [join(work, `slm-copilot-${name}`), readFileSync(executable)]
  const [before, after] = [packageFile.version, name].map(text => `version: "${text}"`) as [string, string]
  for (let at = bytes.indexOf(before); at >= 0; at = bytes.indexOf(before, at + 1)) bytes.write(after, at)
  writeFileSync(path, bytes)
  chmodSync(path, 0o755)
  return path
}

/** A release with llama.cpp under another name; copied into the machine, to /root/0.2.0.tar.gz, and unpacked there. */
async function pushRelease(): Promise<void> {
  const llamaCpp = await llamaRelease()
  const path = await writeArchive(work, {
    version: '0.2.0',
    commit: 'f'.repeat(40),
    executable: executableOf('0.2.0'),
    shim,
    release: await releaseFor('v9', llamaCpp),
    llamaCpp,
    seconds: 1e9,
    signKey: key('publisher.key'),
  })
  await push(machine, path, '/root/0.2.0.tar.gz', '0644')
  await run('cd /root; tar -xzf 0.2.0.tar.gz')
}

/** What is installed, with another llama.cpp. */
async function releaseFor(tag: string, archive: string) {
  const installed = releaseSchema.parse(JSON.parse(await run('cat /opt/slm-copilot/release.json')))
  const bytes = readFileSync(archive)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const url = 'https://example.com/llama.tar.gz'
  return { ...installed, llamaCpp: { tag, archive: { url, size: bytes.length, sha256 } } }
}

/** A copy of the unpacked release in /root, of another version, perhaps with another llama.cpp. It is not signed. */
async function pushVariant(version: string, llamaCpp?: string): Promise<void> {
  const folder = `/root/${version}`
  await run(`rm -rf ${folder}; cp -a /root/slm-copilot-0.2.0 ${folder}
    sed -i s/0.2.0/${version}/ ${folder}/manifest.json`)
  if (llamaCpp !== undefined) {
    await push(machine, llamaCpp, `${folder}/llama.cpp.tar.gz`, '0644')
    await sshOutput(
      machine,
      `cat > ${folder}/release.json`,
      JSON.stringify(await releaseFor('broken', llamaCpp)),
    )
  }
  await run(
    `cd ${folder}; rm SHA256SUMS SHA256SUMS.minisig; sha256sum -- * > /root/sums; mv /root/sums SHA256SUMS`,
  )
}

/** A llama.cpp whose llama-server is a script. */
async function scriptedLlama(name: string, script: string): Promise<string> {
  const folder = join(work, name)
  const make = `mkdir ${folder}; tar -xzf ${await llamaRelease()} -C ${folder}; cd ${folder}/*/
    mv llama-server llama-server.real; cat > llama-server; chmod 755 llama-server
    tar -czf ${folder}.tar.gz -C ${folder} "$(basename "$PWD")"`
  execFileSync('bash', ['--norc', '-euc', make], { input: script })
  return `${folder}.tar.gz`
}

const trusted = '--public-key /root/publisher.pub'
const upgrade = (source = '0.2.0.tar.gz', options = trusted) =>
  ssh(machine, `slm-copilot upgrade ${options} /root/${source}`)

/** What must survive. */
const kept = () =>
  run(`sha256sum /var/lib/slm-copilot/password /etc/ssl/slm-copilot/ca.* /etc/ssl/slm-copilot/current/*.pem \
    /opt/slm-copilot/models/*; cat /var/lib/slm-copilot/models.json 2> /dev/null || echo none`)
const layout = () =>
  run(`readlink -f /opt/one-appliance/bin/slm-copilot; readlink /opt/slm-copilot/llama.cpp/current
    ls /opt/slm-copilot/llama.cpp; test -e /var/lib/slm-copilot/upgrade.json && echo interrupted || echo whole`)

it('is refused, and nothing changes: by another key, damaged, without a key, older, on a full disk', async () => {
  const before = await layout()
  const strange = await upgrade('0.2.0.tar.gz', '--public-key /root/stranger.pub')
  await pushVariant('0.0.9')
  const unsigned = await upgrade('0.0.9')
  const older = await upgrade('0.0.9', '--unsigned')
  const cut = await ssh(
    machine,
    'head -c 9000000 /root/0.2.0.tar.gz > /root/cut.tar.gz; slm-copilot upgrade --unsigned /root/cut.tar.gz',
  )
  const keyless = await ssh(machine, 'slm-copilot upgrade /root/0.2.0.tar.gz')
  const full = await ssh(
    machine,
    `mkdir -p /opt/slm-copilot/versions && mount -t tmpfs -o size=100M tmpfs /opt/slm-copilot/versions &&
     slm-copilot upgrade --public-key /root/publisher.pub /root/0.2.0.tar.gz; code=$?
     umount /opt/slm-copilot/versions; exit $code`,
  )
  for (const [{ code, stdout }, why] of [
    [strange, /is not signed by the key RW/],
    [unsigned, /is not signed: it has no SHA256SUMS\.minisig/],
    [older, /Version 0\.0\.9 is older than the installed/],
    [cut, /is not a whole tar archive/],
    [keyless, /does not know the key that releases are signed with/],
    [full, /The upgrade needs .* and 104\.9 MB are free/],
  ] as const) {
    expect(stdout).toMatch(why)
    expect(code).toBe(1)
  }
  expect(await layout()).toBe(before)
})

it('shows what it would do', async () => {
  const before = await layout()
  const { code, stdout } = await upgrade('0.2.0.tar.gz', `${trusted} --dry-run`)
  expect(code, stdout).toBe(0)
  expect(stdout).toMatch(/would upgrade from \S+ to 0\.2\.0/)
  expect(await layout()).toBe(before)
})

describe('a release that fails', () => {
  it.each([
    ['cannot be run', 'exit 127', 'cannot be run', /cannot be run/],
    [
      'ends at once',
      'case "$1" in --help) exec "$0.real" --help ;; esac; exit 132',
      'in use again',
      /llama-server ended while it was loading the model/,
    ],
  ])('its llama-server %s: the old version is in use', async (what, script, ending, why) => {
    const [before, secrets] = [await layout(), await kept()]
    const llamaCpp = await scriptedLlama(what.replaceAll(' ', '-'), `#!/bin/sh\n${script}\n`)
    await pushVariant('0.3.0', llamaCpp)
    const { code, stdout } = await upgrade('0.3.0', '--unsigned')
    console.log(stdout)
    expect(code).toBe(1)
    expect(stdout).toMatch(why)
    expect(stdout).toContain(ending)
    await untilServing(access)
    expect(await version()).toBe(packageFile.version)
    expect((await layout()).split('\n').slice(1)).toEqual(before.split('\n').slice(1))
    expect(await kept()).toBe(secrets)
  })
})

describe('killed, with all that it runs', () => {
  it.each([
    ['before the switch', 'Upgrading from'],
    ['between the executable and the rest', 'Everything is prepared'],
    ['while llama-server is restarted', 'slm-copilot.service: restart'],
  ])('%s: the old version serves after a reboot', async (_, mark) => {
    const before = await layout()
    await killedAt(mark)
    expect((await reboot(machine)).status).toBe('bootstrap_success')
    await untilServing(access)
    expect(await version()).toBe(packageFile.version)
    expect(inUse(await layout())).toEqual(inUse(before))
  })

  it('and run again: the new version serves', async () => {
    await killedAt('slm-copilot.service: restart')
    const { code, stdout } = await upgrade()
    expect(code, stdout).toBe(0)
    expect(stdout).toContain('was interrupted')
    expect(await version()).toBe('0.2.0')
  })
})

/** Without the way to the executable, and without the unpacked llama.cpp, which the next upgrade takes or removes. */
const inUse = (shown: string) =>
  shown
    .split('\n')
    .slice(1)
    .filter(line => !line.startsWith('v9'))

/** Runs the upgrade to 0.2.0, and kills its session once it has logged this. */
async function killedAt(mark: string): Promise<void> {
  // The log of the row before has the same lines.
  await run(`
    rm -f /root/out.log
    setsid slm-copilot upgrade ${trusted} /root/0.2.0.tar.gz > /root/out.log 2>&1 < /dev/null &
    pid=$!
    until grep -qs '${mark}' /root/out.log || ! kill -0 $pid 2> /dev/null; do sleep 0.05; done
    pkill -9 -s $pid
    grep -q '${mark}' /root/out.log || { tail -3 /root/out.log; exit 1; }`)
}

it('goes back by hand and forward again; password, certificates, models stay; the pause is logged', async () => {
  const secrets = await kept()
  const back = await ssh(machine, 'slm-copilot upgrade --rollback')
  expect(back.code, back.stdout).toBe(0)
  expect(await version()).toBe(packageFile.version)
  expect(await kept()).toBe(secrets)

  const forward = await ssh(machine, 'slm-copilot upgrade --rollback')
  expect(forward.stdout).toMatch(/Clients were not served for [\d.]+ s/)
  expect(await version()).toBe('0.2.0')
  expect(await kept()).toBe(secrets)
  expect((await ask(access, '/v1/models')).status).toBe(200)
  expect((await upgrade()).stdout).toContain('Version 0.2.0 is installed already.')
})
