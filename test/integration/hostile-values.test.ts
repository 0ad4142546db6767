/** Hostile values through the executable: what it writes is accepted by the real nginx and systemd, and nothing is run. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { companionProblems } from '../../lib/appliance/context/companions.ts'
import { parseContext } from '../../lib/appliance/context/context.ts'
import { variables } from '../../lib/appliance/context/variables.ts'
import { catalogue } from '../../lib/appliance/models/catalogue.ts'
import { companionCatalogue } from '../../lib/appliance/models/companions.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { buildExecutable } from '../../packer/build/executable.ts'
import { type HostileValue, hostileValues } from '../support/hostile-values.ts'
import { configuredFolder } from './support/stack.ts'

const seed = Number(process.env.HOSTILE_SEED ?? 20_261_126)
/** Each with a value for each variable. */
const runs = 15

let executable: string
let root: string
beforeAll(async () => {
  executable = await buildExecutable()
  root = await configuredFolder({})
})
afterAll(() => root && rmSync(root, { recursive: true, force: true }))

const model = catalogue['devstral-small-2']
function isAccepted({ name, value }: HostileValue): boolean {
  try {
    parseContext({ [name]: value }, Object.values(catalogue), model, given =>
      companionProblems(given, Object.values(companionCatalogue)),
    )
    return true
  } catch {
    return false
  }
}

/** Variables whose values are valid only beside another's, or decide what others may be. */
const needsOthers = /^(tls|syslogCa|model$|modelUrl|modelSha256|role|backends|fleetKey|completion|embeddings)/

/** Values of each variable in turn, accepted or refused by themselves. A pair of certificate and key needs two. */
function contexts(wanted: 'accepted' | 'refused'): Record<string, string>[] {
  const made = Array.from({ length: runs }, (): Record<string, string> => ({}))
  const given = new Map<string, number>()
  for (const hostile of hostileValues(seed, 40_000)) {
    const { variable, value } = hostile
    const number = given.get(variable) ?? 0
    const context = made[number]
    if (context === undefined || value === '' || isAccepted(hostile) !== (wanted === 'accepted')) continue
    if (wanted === 'accepted' && needsOthers.test(variable)) continue
    given.set(variable, number + 1)
    context[variables[variable].name] = value
  }
  return made
}

/** A line of the context's file, in the quotes that the value does not contain. */
function line(name: string, value: string): string {
  const quote = ["'", '`', '"'].find(each => !value.includes(each)) ?? ''
  return `${name}=${quote}${value}${quote}\n`
}

function configure(context: Record<string, string>) {
  const file = join(root, 'context')
  writeFileSync(
    file,
    Object.entries(context)
      .map(([name, value]) => line(name, value))
      .join(''),
  )
  const args = ['configure', '--root', root, '--context-file', file]
  return spawnSync(executable, args, { encoding: 'utf8', env: { PATH: process.env.PATH } })
}

/** What nginx and systemd say of the files, seen where they would lie on the appliance. */
function verdict(): string {
  const script = `for folder in etc var; do
      mount -t overlay overlay -o lowerdir=${root}/$folder:/$folder /$folder
    done
    mount -t tmpfs tmpfs /var/log/nginx
    mount -t tmpfs tmpfs /run; mkdir -p ${paths.edgeBodies} ${paths.admissionFolder}
    nginx -t -q -c ${paths.edgeConfiguration} 2>&1; nginx -t -q -c ${paths.admissionConfiguration} 2>&1
    systemd-analyze verify --man=no ${paths.unit} ${paths.admissionUnit} 2>&1 | sort -u
    for script in $(grep -lE '^#!/bin/sh' -r /etc/profile.d /etc/letsencrypt 2> /dev/null); do sh -n $script 2>&1; done; true`
  return execFileSync('unshare', ['--mount', 'bash', '-uc', script], { encoding: 'utf8' }).replaceAll(
    root,
    '',
  )
}

let harmless: string

it('what a harmless context makes is accepted', () => {
  const { status, stdout, stderr } = configure({ ONEAPP_COPILOT_PASSWORD: 'harmless-password' })
  expect(`${stdout}${stderr}`).toContain('slm-copilot.conf')
  expect(status).toBe(0)
  harmless = verdict()
  console.log(harmless)
  expect(harmless).not.toMatch(/emerg|Failed to parse|Unknown (key|section)/)
})

it(`${runs} contexts of values that are valid by themselves, seed ${seed}: nothing is run, and nothing injected`, () => {
  let applied = 0
  for (const context of contexts('accepted')) {
    const { status, stdout, stderr } = configure(context)
    const said = `${JSON.stringify(context).slice(0, 3000)}\n${stdout.slice(-1500)}${stderr.slice(-1500)}`
    if (status !== 0) expect(stderr, said).toMatch(/problems? in the context/)
    else applied += 1
    expect(verdict(), said).toBe(harmless)
  }
  console.log(`${applied} of ${runs} contexts applied`)
  expect(applied).toBeGreaterThan(runs / 3)
  expect(existsSync('/tmp/hostile')).toBe(false)
})

it(`${runs} contexts of refused values, seed ${seed}: all are named, none is shown, and nothing is changed`, () => {
  const state = () =>
    globSync('**/*', { cwd: join(root, 'etc'), withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  const before = state()
  for (const context of contexts('refused')) {
    const { status, stdout, stderr } = configure(context)
    expect(status, stderr).toBe(1)
    // Some may be refused only as a pair, and a role for what it needs.
    for (const name of Object.keys(context))
      if (!/TLS_(CERT|KEY)$|MODEL_(URL|SHA256)$|ROLE$/.test(name)) expect(stderr).toContain(name)
    for (const [name, value] of Object.entries(context))
      if (/PASSWORD|KEY/.test(name) && value.length >= 12) expect(stderr + stdout).not.toContain(value)
    expect(stderr.length).toBeLessThan(40_000)
  }
  expect(state()).toEqual(before)
  expect(existsSync('/tmp/hostile')).toBe(false)
})
