/** `make marketplace`, and its files as the programs of the marketplace's repository read them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { folders, marketplaceFiles } from '../../packer/build/marketplace/files.ts'
import { listing } from '../../packer/build/marketplace/listing.ts'
import { addService } from '../../packer/build/marketplace/submission.ts'
import { writeFiles } from '../../packer/build/marketplace/write.ts'
import { parseYaml } from '../../packer/build/marketplace/yaml.ts'
import { draftFacts, facts } from '../packer/marketplace/facts.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const work = mkdtempSync(join(tmpdir(), 'marketplace-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

const kinds = { final: facts, draft: draftFacts }
const { files } = marketplaceFiles(facts, path => readFileSync(join(checkout, path), 'utf8'))
const yamlFiles = files.map(({ path }) => path).filter(path => path.endsWith('.yaml'))

beforeAll(() => {
  for (const [kind, known] of Object.entries(kinds))
    writeFiles(
      join(work, kind),
      marketplaceFiles(known, path => readFileSync(join(checkout, path), 'utf8')).files,
    )
})

const marketplace = (args: string[], values: Record<string, string>) =>
  spawnSync('node', ['packer/build/marketplace/main.ts', ...args], {
    cwd: checkout,
    encoding: 'utf8',
    env: { ...process.env, ...values },
  })

it('ends with 1 while a value is unknown, says which, and how to get it', () => {
  const { status, stderr } = marketplace([], { IMAGE_URL: '' })
  expect(status).toBe(1)
  expect(stderr).toMatch(/nothing was written.*IMAGE_URL: Upload the image/s)
})

it('refuses a placeholder as a value, also in a draft', () => {
  const { status, stderr } = marketplace(['--draft'], {
    IMAGE_URL: 'https://acme.test/REPLACE-WITH-IMAGE_URL',
  })
  expect([status, stderr]).toEqual([1, expect.stringContaining('IMAGE_URL=https://acme.test/REPLACE')])
})

it('ends with 0 as a draft, and lists the placeholders', () => {
  const { status, stdout } = marketplace(['--draft'], { IMAGE_URL: '' })
  expect([status, stdout]).toEqual([0, expect.stringMatching(/A draft, with placeholders for:.*IMAGE_URL/s)])
})

/** The rules in the marketplace's .yamllint.yml: yamllint's own, but for two. */
const rules = '{extends: default, rules: {line-length: disable, indentation: {indent-sequences: whatever}}}'

it.each(Object.keys(kinds))('yamllint has nothing to say about the %s files', kind => {
  const { stdout, status } = spawnSync('yamllint', ['--strict', '-d', rules, join(work, kind)], {
    encoding: 'utf8',
  })
  expect([stdout, status]).toEqual(['', 0])
})

it.each(yamlFiles)("Ruby's parser reads the same values from %s", path => {
  const program = 'puts JSON.generate(YAML.load_file(ARGV[0]))'
  const read = execFileSync('ruby', ['-ryaml', '-rjson', '-e', program, join(work, 'final', path)], {
    encoding: 'utf8',
  })
  // Ruby's symbols are texts in JSON, without their colon.
  const expected = JSON.stringify(parseYaml(files.find(file => file.path === path)?.text ?? '')).replaceAll(
    '":',
    '"',
  )
  expect(read.trim().replaceAll('":', '"')).toBe(expected)
})

it('the logo has 300 × 300 pixels, and a file size to match', () => {
  const png = readFileSync(join(work, 'final', 'logos', listing.logo))
  expect(png.subarray(1, 4).toString()).toBe('PNG')
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([300, 300])
  expect(png.length).toBeLessThan(100_000)
})

it('scripts are executable, and have no fault that shellcheck finds', () => {
  const scripts = files
    .filter(({ text }) => text.startsWith('#!'))
    .map(({ path }) => join(work, 'final', path))
  expect(scripts.map(path => (statSync(path).mode & 0o777).toString(8))).toEqual(scripts.map(() => '755'))
  execFileSync('shellcheck', scripts)
})

it('the certification test is Ruby', () => {
  execFileSync('ruby', ['-c', join(work, 'final', folders.appliance, 'tests', '00-slm-copilot_basic.rb')])
})

it('the sed command adds the name to the services, once', () => {
  const folder = join(work, 'services')
  const config = join(folder, 'apps-code', 'community-apps', 'Makefile.config')
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, 'VERSION := 1\n\nSERVICES := one two\nSERVICES_OTHER := three\n')
  execFileSync('bash', ['-c', addService], { cwd: folder })
  expect(readFileSync(config, 'utf8')).toBe(
    `VERSION := 1\n\nSERVICES := one two ${listing.name}\nSERVICES_OTHER := three\n`,
  )
})

/** What the template takes from one-apps and from the repository that it is in. */
const others = [
  'apps-code/one-apps/export/debian13.qcow2',
  'apps-code/one-apps/appliances/service.sh',
  'apps-code/one-apps/appliances/scripts/net-90-service-appliance',
  'apps-code/one-apps/appliances/scripts/net-99-report-ready',
  'apps-code/one-apps/packer/postprocess.sh',
  'lib/common.sh',
  'lib/functions.sh',
]

it("Packer accepts the template, with what the repository's build.sh passes", () => {
  const repository = join(work, 'repository')
  cpSync(join(work, 'final'), repository, { recursive: true })
  for (const path of others) {
    mkdirSync(dirname(join(repository, path)), { recursive: true })
    writeFileSync(join(repository, path), '')
  }
  // Debian's Packer has the QEMU builder built in, and rejects this file.
  rmSync(join(repository, folders.packer, 'plugins.pkr.hcl'))
  const passed = {
    appliance_name: listing.name,
    distro: listing.name,
    version: '',
    input_dir: `packer/${listing.name}`,
    output_dir: `build/${listing.name}`,
    headless: 'true',
    arch: 'x86_64',
  }
  const variables = Object.entries(passed).map(([name, value]) => `-var=${name}=${value}`)
  const { status, stdout, stderr } = spawnSync(
    'packer',
    ['validate', ...variables, `packer/${listing.name}`],
    {
      cwd: join(repository, 'apps-code', 'community-apps'),
      encoding: 'utf8',
      env: { ...process.env, CHECKPOINT_DISABLE: '1', PACKER_CACHE_DIR: join(work, 'packer') },
    },
  )
  expect([status, stdout + stderr]).toEqual([0, expect.any(String)])
})
