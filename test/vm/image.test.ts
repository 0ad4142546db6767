/** `make image` with the small release: its folder, what its image contains, and two machines booted from it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifestSchema } from '../../packer/build/image/manifest.ts'
import { type Mirror, releaseValue, startMirror } from '../mirror/mirror.ts'
import { traces } from '../support/traces.ts'
import { compression, type Image, makeImage, oneAppsDir, size } from './image.ts'
import { hostSeenByGuest, type Machine } from './machine.ts'
import { readyContainer } from './shared.ts'
import { sshOutput } from './ssh.ts'

const work = mkdtempSync(join(tmpdir(), 'image-'))
const output = join(work, 'image')
const key = join(work, 'sign.key')
const publicKey = join(work, 'sign.pub')
const release = join(work, 'release.json')
let image: Image
let mirror: Mirror

beforeAll(async () => {
  image = await makeImage()
  mirror = await startMirror()
  const value = await releaseValue(`http://${hostSeenByGuest}:${mirror.port}`)
  writeFileSync(release, JSON.stringify(value))
  execFileSync('minisign', ['-G', '-W', '-p', publicKey, '-s', key], { stdio: 'ignore' })
})
afterAll(async () => {
  await mirror?.close()
  rmSync(work, { recursive: true })
})

function runMakeImage(more: Record<string, string> = {}): string {
  const small = {
    MEMORY: `${size.memory}M`,
    DISK: size.disk,
    CPUS: '1',
    RELEASE: release,
    COMPRESSION: compression,
    ONE_APPS_DIR: oneAppsDir(),
  }
  const { stdout, stderr, status } = spawnSync('make', ['image'], {
    cwd: resolve(import.meta.dirname, '..', '..'),
    env: { ...process.env, ...small, OUTPUT: output, ...more },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`make image failed:\n${stdout}${stderr}`)
  return stdout
}

const timesOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map(name => [name, statSync(join(folder, name)).mtimeMs]))

describe('make image', () => {
  it('writes image, manifests, checksums and signatures', () => {
    runMakeImage({ SIGN_KEY: key })
    expect(
      readdirSync(output)
        .filter(name => !name.includes('sbom'))
        .sort(),
    ).toEqual(
      [
        ...['slm-copilot.qcow2', 'SHA256SUMS', 'SHA256SUMS.minisig', 'MD5SUMS', 'MD5SUMS.minisig'],
        ...['manifest.json', 'manifest.json.minisig', 'slm-copilot.yaml', 'slm-copilot.yaml.minisig'],
      ].sort(),
    )
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(join(output, 'manifest.json'), 'utf8')))
    expect(manifest).toMatchObject({
      size: 8 * 2 ** 30,
      os: { id: 'Debian GNU/Linux' },
      model: { name: 'sentence' },
      commits: { oneApps: null },
    })
  })

  it('as a user verifies it', () => {
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd: output, encoding: 'utf8' })
    expect(run('minisign', '-Vm', 'SHA256SUMS', '-p', publicKey)).toContain('signature verified')
    expect(run('sha256sum', '--check', 'SHA256SUMS')).toContain('slm-copilot.qcow2: OK')
    expect(run('md5sum', '--check', 'MD5SUMS')).toContain('manifest.json: OK')
    expect(run('qemu-img', 'check', 'slm-copilot.qcow2')).toContain('No errors')
  })

  it('run again, changes nothing', () => {
    const before = timesOf(output)
    expect(runMakeImage()).not.toMatch(/Compress|Bake/)
    expect(timesOf(output)).toEqual(before)
  })

  it('is the image that these tests boot', () => {
    expect(statSync(join(output, 'slm-copilot.qcow2')).size).toBe(statSync(image.disk).size)
  })
})

describe('the exported image', () => {
  const root = join(work, 'root')
  const raw = join(work, 'raw')
  beforeAll(() => {
    execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', join(output, 'slm-copilot.qcow2'), raw])
    mkdirSync(root)
    execFileSync('mount', ['-o', 'loop,ro,noload,offset=1048576', raw, root])
  })
  afterAll(() => {
    execFileSync('umount', [root])
  })

  it.each(traces)('has no trace of the bake: $what', ({ find }) => {
    expect(find(root)).toEqual([])
  })

  it('has no SSH key of the bake anywhere in its blocks', () => {
    // Without the holes, which are nine tenths of the disk. A cluster has whole blocks.
    const used = join(work, 'used.qcow2')
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, used])
    const linesWith = (pattern: string) =>
      Number(spawnSync('grep', ['--text', '--count', '-E', pattern, used]).stdout)
    expect(linesWith('root:x:0:0:')).toBeGreaterThan(0)
    expect(linesWith('ssh-ed25519 [A-Za-z0-9+/]{68} (bake|root@)')).toBe(0)
  })
})

describe('two machines from the same image', () => {
  let machines: Machine[]
  beforeAll(async () => {
    machines = await Promise.all([readyContainer(), readyContainer('other')])
  })

  it.each([
    ['machine ID', 'cat /etc/machine-id'],
    ['SSH host keys', 'cat /etc/ssh/ssh_host_*_key.pub'],
    ['password', 'cat /var/lib/slm-copilot/password'],
  ])('differ in their %s', async (_, command) => {
    const [one, two] = await Promise.all(machines.map(machine => sshOutput(machine, command)))
    expect(one).not.toBe('')
    expect(one).not.toBe(two)
  })

  it('differ in their CA', async () => {
    const texts = await Promise.all(
      machines.map(machine => sshOutput(machine, 'cat /etc/ssl/slm-copilot/ca.crt')),
    )
    const [one, two] = texts.map(text => new X509Certificate(text).fingerprint256)
    expect(one).not.toBe(two)
  })
})
