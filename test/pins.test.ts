/** Whatever is taken from outside is pinned in lib/appliance/pins.ts, and nowhere else. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import * as pins from '../lib/appliance/pins.ts'

const checkout = resolve(import.meta.dirname, '..')
const textOf = (name: string) => readFileSync(join(checkout, name), 'utf8')

const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: checkout,
  encoding: 'utf8',
})
  .split('\n')
  .filter(name => name !== '' && existsSync(join(checkout, name)))

/** Written from pins.ts, which test/generated.test.ts checks. */
const generated = ['packer/pins.sh']
/** What npm and GitHub read themselves; Dependabot keeps them. */
const ownTools = /(^|\/)package-lock\.json$|^\.github\/workflows\//
/** State files as released versions have left them. */
const layouts = /^test\/lib\/system\/layouts\//
const others = tracked.filter(
  name =>
    name !== 'lib/appliance/pins.ts' &&
    !generated.includes(name) &&
    !ownTools.test(name) &&
    !layouts.test(name),
)
const code = others.filter(name => !/\.(md|png)$|^LICENSE$/.test(name))

/** `file: match` for whatever matches in the given files. */
const found = (files: string[], pattern: RegExp) =>
  files.flatMap(name => [...textOf(name).matchAll(pattern)].map(([, match = '']) => `${name}: ${match}`))

/** In hexadecimal, SHA-1 to SHA-512; as npm writes them. */
const digest =
  /\b((?=\d*[a-f])(?:[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\b|sha(?:256|384|512)-[A-Za-z0-9+/]{40,}=*)/g

it('no digest stands anywhere else', () => {
  expect(found(others, digest)).toEqual([])
})

/** Hosts that are named without downloading anything from them, and why. */
const named: Record<string, string> = {
  'acme-v02.api.letsencrypt.org': 'a service that the appliance uses',
  'api.github.com': 'asked by `make pins`',
  'developer.hashicorp.com': 'printed, for a person to read',
  'json-schema.org': "the name of a schema's dialect",
  'opencode.ai': 'the name of a schema',
  'www.google.com': 'printed, for a person to read',
  'www.w3.org': 'the name of a namespace, or documentation',
}

it('no address on the internet stands anywhere else', () => {
  const publicHost =
    /https?:\/\/((?:[a-z0-9-]+\.)+(?!example\b|invalid\b|test\b)[a-z]{2,})(?=[:/"'`)\s;]|$)/gm
  const isFictional = (host: string) => /(^|\.)example\.(com|org|net)$/.test(host)
  const isUnknown = (match: string) => {
    const host = match.split(': ').at(-1) ?? ''
    return !isFictional(host) && !(host in named)
  }
  expect(found(code, publicHost).filter(isUnknown)).toEqual([])
})

it('no version is repeated', () => {
  const { llamaCpp, packagedLlama, debian } = pins
  const specs = [packagedLlama.source, packagedLlama.libraries].map(
    ({ spec }) => spec.split('@').at(-1) ?? '',
  )
  const versions = [llamaCpp.tag, ...specs, debian.suite].join('|').replaceAll('.', '\\.')
  expect(
    found(
      code.filter(name => name !== 'test/pins.test.ts'),
      RegExp(`\\b(${versions})\\b`, 'g'),
    ),
  ).toEqual([])
})

const files = [...Object.entries(pins.weights), ['llama.cpp', pins.llamaCpp.archive] as const]

it.each(files)('%s is at an address whose content cannot change, with size and SHA-256', (_, file) => {
  const isFixed = /\/resolve\/[0-9a-f]{40}\/|\/releases\/download\//.test(file.url)
  expect([isFixed, file.size > 1e6, file.sha256]).toEqual([
    true,
    true,
    expect.stringMatching(/^[0-9a-f]{64}$/),
  ])
})

it("llama.cpp's archive is that of its tag", () => {
  const { tag, archive } = pins.llamaCpp
  expect(archive.url.split(tag)).toHaveLength(3)
})

describe('what other tools read', () => {
  it('every GitHub Action is named by commit, with its version', () => {
    const uses = found(globSync('.github/workflows/*.yml', { cwd: checkout }), /uses: (.*)/g)
    expect(uses).not.toEqual([])
    expect(uses.filter(use => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(use))).toEqual([])
  })

  it("Packer's plugin is the pinned one", () => {
    expect(textOf('packer/plugins.pkr.hcl')).toContain(`version = "= ${pins.packerPlugin.version}"`)
  })

  it.each(['package.json', 'test/clients/package.json'])('%s names exact versions', name => {
    const { dependencies, devDependencies } = JSON.parse(textOf(name)) as Record<
      string,
      Record<string, string>
    >
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, version]) => !/^(npm:.*@)?\d+\.\d+\.\d+(-[\w.-]+)?$/.test(version),
    )
    expect(loose).toEqual([])
  })

  it.each(['package-lock.json', 'test/clients/package-lock.json'])(
    '%s has a digest for each package',
    name => {
      const { packages } = JSON.parse(textOf(name)) as {
        packages: Record<string, { integrity?: string; link?: boolean }>
      }
      const without = Object.entries(packages).filter(([path, { integrity }]) => path !== '' && !integrity)
      expect(without).toEqual([])
    },
  )
})
