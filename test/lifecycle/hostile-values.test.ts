/**
 * Thousands of hostile values through every context variable: each is refused with a message that is safe to show, or
 * ends up in files where it changes nothing but itself. HOSTILE_SEED and HOSTILE_COUNT try others.
 */
import { expect, it } from 'vitest'
import { parseContext } from '../../lib/appliance/context/context.ts'
import { unknownNameNotes } from '../../lib/appliance/context/unknown-names.ts'
import { variables } from '../../lib/appliance/context/variables.ts'
import { catalogue } from '../../lib/appliance/models/catalogue.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { describedCapacity, planNotes, planSchema } from '../../lib/appliance/plan.ts'
import { ContextError } from '../../lib/appliance/problems.ts'
import { loginBanner } from '../../lib/render/text/report.ts'
import type { Host } from '../../lib/system/host.ts'
import { logLines } from '../../lib/system/log.ts'
import type { ManagedFile } from '../../lib/system/managed-files.ts'
import { plain } from '../../lib/system/plain-text.ts'
import { configure, desiredFiles } from '../../lifecycle/configure.ts'
import { parseEnvironment } from '../../lifecycle/environment.ts'
import { tinyModel } from '../support/capacity.ts'
import { type HostileValue, hostileValues, type VariableKey } from '../support/hostile-values.ts'
import { servingHost } from '../support/serving-host.ts'
import { htmlSkeleton, lineSkeleton, nginxSkeleton, shellSkeleton } from '../support/skeletons.ts'

const seed = Number(process.env.HOSTILE_SEED ?? 20_261_126)
const count = Number(process.env.HOSTILE_COUNT ?? 2_000)

/** Of the same shape as an accepted value: as many keys, with limits or without, and as many servers. */
const harmless: Partial<Record<VariableKey, (value: string) => string>> = {
  password: () => 'harmless-password',
  keys: value =>
    value
      .split(/\s+/)
      .filter(Boolean)
      .map((pair, index) => `k${index}=harmless-key-${index}${/:\d+$/.exec(pair)?.[0] ?? ''}`)
      .join(' '),
  domain: () => 'harmless.example.com',
  acmeEmail: () => 'harmless@example.com',
  acmeUrl: () => 'https://harmless.example.com/',
  modelMirror: () => 'https://harmless.example.com/',
  ntpServers: value =>
    value
      .split(/[\s,]+/)
      .filter(Boolean)
      .map((_, index) => `harmless${index}`)
      .join(' '),
  metricsKey: () => 'harmless-metrics-key',
  syslog: () => 'tls://harmless.example.com',
}

const isSecret = (key: VariableKey) => variables[key].input === 'password' || variables[key].isSecret === true

function skeletonOf({ path, text }: { path: string; text: string }): string {
  if (path.endsWith('.json')) return typeof JSON.parse(text)
  if (path.endsWith('.html')) return htmlSkeleton(text)
  if (path === paths.banner) return shellSkeleton(text)
  if (/^\/etc\/(nginx|slm-copilot\/syslog).*conf$/.test(path)) return nginxSkeleton(text)
  if (/\.(js|jinja|pem)$/.test(path) || path === paths.password) return ''
  return lineSkeleton(text)
}

const textsOf = (files: ManagedFile[]) => files.flatMap(file => ('text' in file ? [file] : []))

/** The login banner as bootstrap would write it from this plan. */
function bannerOf(files: ManagedFile[]) {
  const plan = planSchema.parse(
    JSON.parse(textsOf(files).find(({ path }) => path === paths.plan)?.text ?? ''),
  )
  const [capacity, notes] = [describedCapacity(plan), planNotes(plan)]
  const tls = { mode: 'private', names: [], ends: '', isPublic: false, caFingerprint: 'AA:BB' } as const
  return loginBanner({
    endpoints: plan.endpoints,
    capacity,
    serves: true,
    isRouter: false,
    tls: { ...tls, names: [] },
    notes,
  })
}

async function configuredHost() {
  const host = await servingHost({}, tinyModel)
  await configure(host)
  return host
}

async function rendered(host: Host, env: Record<string, string>) {
  const files = await desiredFiles({ ...host, env })
  return [...textsOf(files), bannerOf(files)].map(file => ({ ...file, text: plain(file.text) }))
}

const references = new Map<string, Promise<Map<string, string>>>()
const skeletonsFor = (host: Host, env: Record<string, string>) => {
  const key = JSON.stringify(env)
  const known =
    references.get(key) ??
    rendered(host, env).then(files => new Map(files.map(file => [file.path, skeletonOf(file)])))
  references.set(key, known)
  return known
}

/** What an administrator reads, in a terminal. */
function expectSafe(message: string, { variable, value }: HostileValue) {
  const lines = logLines(new Date(), 'ERROR', message).trimEnd().split('\n')
  expect(lines.filter(line => !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ \[ERROR\] /.test(line))).toEqual([])
  expect(lines.filter((line, index) => index > 0 && !/\[ERROR\] {2}/.test(line))).toEqual([])
  expect(message.length).toBeLessThan(3000)
  if (isSecret(variable) && value.length >= 12) expect(message).not.toContain(value)
}

/** The files, or the refusal. Most are refused at once. */
async function outcomeOf(host: Host, env: Record<string, string>) {
  try {
    parseContext(env, [tinyModel, ...Object.values(catalogue)], tinyModel)
    return await rendered(host, env)
  } catch (error) {
    if (error instanceof ContextError) return error.message
    throw error
  }
}

async function judged(host: Host, hostile: HostileValue): Promise<'accepted' | 'refused'> {
  const { variable, name, value } = hostile
  const env = { [name]: value }
  const files = await outcomeOf(host, env)
  if (typeof files === 'string') {
    expectSafe(files, hostile)
    return 'refused'
  }
  if (isSecret(variable) && value !== '')
    for (const { path, mode, text } of files)
      if ((mode & 0o044) !== 0)
        for (const word of value.match(/[^\s=:]{12,}/g) ?? []) expect(text, path).not.toContain(word)
  const like = harmless[variable]
  if (like === undefined || value === '') return 'accepted'
  const expected = await skeletonsFor(host, { [variables[variable].name]: like(value) })
  // Other names have other certificates.
  for (const file of files.filter(({ path }) => !path.startsWith(`${paths.tls}/`)))
    expect(skeletonOf(file), file.path).toBe(expected.get(file.path))
  return 'accepted'
}

it(`${count} of them, seed ${seed}`, { timeout: 300_000 }, async () => {
  const host = await configuredHost()
  const counts: Record<string, number> = { accepted: 0, refused: 0 }
  const problems: string[] = []
  const verdicts = new Map<string, 'accepted' | 'refused'>()
  for (const hostile of hostileValues(seed, count))
    try {
      const id = `${hostile.variable} ${hostile.value}`
      const verdict = verdicts.get(id) ?? (await judged(host, hostile))
      verdicts.set(id, verdict)
      counts[verdict] = (counts[verdict] ?? 0) + 1
    } catch (error) {
      problems.push(
        `${hostile.name}=${JSON.stringify(hostile.value).slice(0, 200)}: ${(error as Error).message.slice(0, 400)}`,
      )
    }
  console.log(`Hostile values, seed ${seed}: ${JSON.stringify(counts)}, ${verdicts.size} different`)
  expect(problems.slice(0, 20), `${problems.length} problems`).toEqual([])
  expect(counts.accepted).toBeGreaterThan(count / 20)
  expect(counts.refused).toBeGreaterThan(count / 2)
})

it('as names of variables: they are reported without their value, on one line each, or ignored', () => {
  for (const { value } of hostileValues(seed, 2000))
    for (const note of unknownNameNotes({ [`ONEAPP_COPILOT_${value}`]: 'CANARY', [value]: 'CANARY' }, []))
      expect(note).toMatch(/^[\w.-]{1,64} is not a variable of this appliance, and is ignored\. [ -~]+$/)
})

it('in a context file: what one value contains sets no other variable', () => {
  for (const { name, value } of hostileValues(seed, 2000)) {
    const read = parseEnvironment(`export TOKENTXT=""\nexport ${name}="${value}"\nexport NETWORK="YES"\n`)
    expect(read).toEqual({ TOKENTXT: '', [name]: value, NETWORK: 'YES' })
  }
})
