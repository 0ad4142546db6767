/** `make image` without a VM: the template, the framework's clone, the export, the signatures; interrupted anywhere. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from '@cdktn/hcl2json'
import { afterAll, describe, expect, it } from 'vitest'
import { packerPlugin } from '../../lib/appliance/pins.ts'
import { packerVariables } from '../../packer/build/bake.ts'
import { commitOf } from '../../packer/build/git.ts'
import { describeImage } from '../../packer/build/image/describe.ts'
import { exportDisk, writeBeside } from '../../packer/build/image/export.ts'
import { manifestText } from '../../packer/build/image/manifest.ts'
import { parseSettings } from '../../packer/build/image/settings.ts'
import { sign } from '../../packer/build/image/sign.ts'
import { oneAppsCheckout } from '../../packer/build/one-apps.ts'
import { packer } from '../../packer/build/packer.ts'
import { blocksRunBy } from '../support/command-blocks.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const framework = join(checkout, 'test', 'vm', 'framework')
const work = mkdtempSync(join(tmpdir(), 'make-image-'))
afterAll(() => rmSync(work, { recursive: true }))
const folderFor = (name: string) => {
  const path = join(work, name)
  mkdirSync(path)
  return path
}
const file = (name: string, text = name) => {
  const path = join(work, name)
  writeFileSync(path, text)
  return path
}

describe('the template', () => {
  it('is valid with the variables of the production image', async () => {
    const { release, size, sshTimeout } = parseSettings({})
    const inputs = {
      release,
      size,
      sshTimeout,
      oneAppsDir: framework,
      executable: file('executable'),
      shim: file('shim'),
    }
    const bake = { work: folderFor('bake'), facts: work, baseDisk: file('base'), place: 'kvm' as const }
    const variables = packerVariables(bake, inputs)
    expect(variables).toMatchObject({ cpus: 4, memory: 16_384, disk_size: '51200M', ssh_timeout: '30m' })
    await packer(['validate'], variables, bake.work)
  })

  it('is refused with an unknown variable', async () => {
    await expect(packer(['validate'], { colour: 'blue' }, folderFor('unknown'))).rejects.toThrow('colour')
  })

  it.each(['plugins.pkr.hcl', 'slm-copilot.pkr.hcl', 'variables.pkr.hcl'])(
    '%s is current HCL',
    async name => {
      const text = readFileSync(join(checkout, 'packer', name), 'utf8')
      await expect(parse(name, text)).resolves.toBeTruthy()
    },
  )

  it('requires the pinned plugin for current Packer', async () => {
    const text = readFileSync(join(checkout, 'packer', 'plugins.pkr.hcl'), 'utf8')
    const { packer: blocks } = (await parse('plugins.pkr.hcl', text)) as { packer: unknown[] }
    expect(blocks).toEqual([
      {
        required_plugins: [
          {
            qemu: {
              source: 'github.com/hashicorp/qemu',
              version: expect.stringContaining(packerPlugin.version),
            },
          },
        ],
      },
    ])
  })
})

describe('the framework', () => {
  const upstream = join(work, 'upstream')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', upstream, ...args], { encoding: 'utf8' }).trim()
  const commit = (text: string) => {
    writeFileSync(join(upstream, 'service.sh'), text)
    git('add', '.')
    git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '--quiet', '-m', text)
    return git('rev-parse', 'HEAD')
  }

  it('is cloned at the pinned commit, once, without history', async () => {
    mkdirSync(upstream)
    git('init', '--quiet')
    const pinned = commit(`pinned ${work}`)
    commit('newer')
    const clone = await oneAppsCheckout({ url: upstream, commit: pinned })
    expect(readFileSync(join(clone, 'service.sh'), 'utf8')).toBe(`pinned ${work}`)
    expect(commitOf(clone)).toBe(pinned)
    rmSync(upstream, { recursive: true })
    expect(await oneAppsCheckout({ url: upstream, commit: pinned })).toBe(clone)
    writeFileSync(join(clone, 'service.sh'), 'changed')
    expect(commitOf(clone)).toBe(`${pinned}-dirty`)
    rmSync(clone, { recursive: true })
  })

  it('says what failed if it cannot be fetched', async () => {
    const source = { url: join(work, 'nowhere'), commit: 'f'.repeat(40) }
    await expect(oneAppsCheckout(source)).rejects.toThrow(/nowhere.*does not (exist|appear)/)
  })

  it('has no commit if it is a folder of another checkout, or of none', () => {
    expect(commitOf(framework)).toBeNull()
    expect(commitOf(work)).toBeNull()
  })
})

describe('the export', () => {
  const disk = join(work, 'disk.qcow2')
  const facts = folderFor('facts')
  writeFileSync(join(facts, 'os-release'), 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\n')
  execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '4M'])
  execFileSync('qemu-io', ['-c', 'write -P 7 0 1M', disk], { stdio: 'ignore' })
  const { release } = parseSettings({})

  /** As `make image` does once the bake is there. */
  async function makeFolder(folder: string, inputs = 'first', compression: 'zlib' | 'zstd' = 'zlib') {
    const baked = { disk, facts, inputs }
    const image = await exportDisk({ ...baked, compression }, folder)
    const manifest = describeImage(baked, image, {
      release,
      commits: { slmCopilot: null, oneApps: null },
      sbom: undefined,
    })
    writeBeside(folder, image, { 'manifest.json': manifestText(manifest) })
    return manifest
  }
  const times = (folder: string) =>
    Object.fromEntries(readdirSync(folder).map(name => [name, statSync(join(folder, name)).mtimeMs]))
  const verifies = (folder: string) =>
    ['SHA256SUMS', 'MD5SUMS'].every(
      name =>
        spawnSync(`${name.slice(0, -4).toLowerCase()}sum`, ['--check', '--strict', name], { cwd: folder })
          .status === 0,
    )

  it.each(['zlib', 'zstd'] as const)('with %s holds the same disk', async compression => {
    const folder = join(work, compression)
    const { size, compression: said } = await makeFolder(folder, 'first', compression)
    expect([size, said]).toEqual([4 * 2 ** 20, compression])
    execFileSync('qemu-img', ['compare', disk, join(folder, 'slm-copilot.qcow2')])
    expect(verifies(folder)).toBe(true)
  })

  it('is left alone by a second run, and made anew from other inputs', async () => {
    const folder = join(work, 'again')
    await makeFolder(folder)
    const before = times(folder)
    await makeFolder(folder)
    expect(times(folder)).toEqual(before)
    await makeFolder(folder, 'second')
    expect(times(folder)['slm-copilot.qcow2']).not.toBe(before['slm-copilot.qcow2'])
    expect(verifies(folder)).toBe(true)
  })

  it.each([
    [
      'in the middle of compressing',
      (folder: string) => {
        for (const name of readdirSync(folder)) rmSync(join(folder, name))
        writeFileSync(join(folder, 'slm-copilot.qcow2.partial'), 'half')
      },
    ],
    ['before the manifest', (folder: string) => rmSync(join(folder, 'manifest.json'))],
    [
      'in the middle of the manifest',
      (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{"name":'),
    ],
    ['before the checksums', (folder: string) => rmSync(join(folder, 'SHA256SUMS'))],
    [
      'and the image was changed since',
      (folder: string) => writeFileSync(join(folder, 'slm-copilot.qcow2'), 'x'),
    ],
  ])('interrupted %s, is whole after another run', async (name, damage) => {
    const folder = join(work, name)
    await makeFolder(folder)
    damage(folder)
    await makeFolder(folder)
    expect(readdirSync(folder).toSorted()).toEqual([
      'MD5SUMS',
      'SHA256SUMS',
      'manifest.json',
      'slm-copilot.qcow2',
    ])
    execFileSync('qemu-img', ['compare', disk, join(folder, 'slm-copilot.qcow2')])
    expect(verifies(folder)).toBe(true)
  })

  it('is signed; a signature goes with what it was about', async () => {
    const folder = join(work, 'signed')
    const [key, publicKey] = [join(work, 'key'), join(work, 'key.pub')]
    execFileSync('minisign', ['-G', '-W', '-p', publicKey, '-s', key], { stdio: 'ignore' })
    const manifest = await makeFolder(folder)
    writeFileSync(join(folder, 'slm-copilot.yaml'), '')
    sign(folder, key, manifest)
    for (const name of ['SHA256SUMS', 'MD5SUMS', 'manifest.json'])
      expect(spawnSync('minisign', ['-Vm', name, '-p', publicKey], { cwd: folder }).status).toBe(0)
    copyFileSync(publicKey, join(folder, 'slm-copilot.pub'))
    const blocks = blocksRunBy(import.meta.filename)
    expect(blocks.map(({ text }) => text)).toEqual([expect.stringContaining('minisign -Vm')])
    for (const { text } of blocks) execFileSync('bash', ['-e'], { cwd: folder, input: text, stdio: 'pipe' })
    await makeFolder(folder, 'second')
    expect(existsSync(join(folder, 'SHA256SUMS.minisig'))).toBe(false)
    expect(existsSync(join(folder, 'manifest.json.minisig'))).toBe(false)
  })

  it('leaves alone what else is in the folder', async () => {
    const folder = join(work, 'shared')
    await makeFolder(folder)
    writeFileSync(join(folder, 'letter.txt'), 'mine')
    await makeFolder(folder, 'second')
    expect(readFileSync(join(folder, 'letter.txt'), 'utf8')).toBe('mine')
  })

  it('says which key cannot sign', async () => {
    const folder = join(work, 'unsigned')
    const manifest = await makeFolder(folder)
    const key = file('no-key', 'nonsense\n')
    expect(() => sign(folder, key, manifest)).toThrow(`Signing failed: minisign with ${key}`)
  })
})

describe('the command', () => {
  const run = (variables: Record<string, string>) =>
    spawnSync(process.execPath, ['packer/build/image.ts'], {
      cwd: checkout,
      env: { ...process.env, ONE_APPS_DIR: framework, ...variables },
      encoding: 'utf8',
    })

  it('says at once everything that the machine lacks', () => {
    const { status, stderr } = run({
      DISK: '999999G',
      MEMORY: '9999G',
      PATH: folderFor('empty'),
      SIGN_KEY: file('a-key', `RW${'a'.repeat(210)}`),
    })
    expect(status).toBe(1)
    for (const lacking of [
      'packer: ',
      'qemu-img: ',
      'mmdebstrap: ',
      'minisign: ',
      'disk space: ',
      'memory: ',
    ])
      expect(stderr).toContain(`\n  ${lacking}`)
  })

  it('says at once which variables are wrong', () => {
    const { status, stderr } = run({ MODEL: 'gpt-5', DISK: 'big' })
    expect(status).toBe(1)
    expect(stderr).toMatch(/MODEL=gpt-5: takes one of.*\n.*DISK=big/)
  })
})
