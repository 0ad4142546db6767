/** The prompt cache across a restart of llama-server: restored if all is well, otherwise recomputed. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type PersistedPromptCache, promptCacheSchema } from '../../lib/appliance/llama/prompt-cache.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { provenSlots, restorePromptCache, savePromptCache } from '../../lib/steps/llama/prompt-cache.ts'
import type { Host } from '../../lib/system/host.ts'
import { stream } from '../bench/measure.ts'
import { ask, systemPromptOf } from './support/agent-prompts.ts'
import { type Stack, startStack } from './support/stack.ts'
import { hostOf } from './support/stack-host.ts'

let stack: Stack
let host: Host
let settings: Record<string, string>
const few = 20

beforeEach(async () => {
  settings = {}
  stack = await startStack({ ONEAPP_COPILOT_KEEP_PROMPTS: 'YES' }, { settings })
  host = hostOf(stack)
})
afterEach(() => stack?.close())

const pid = () => stack.llamaPid() ?? 0
const manifest = () => join(stack.root, paths.promptCacheIndex)
const fileOf = (slot: number) => join(stack.root, paths.promptCacheFolder, `slot-${slot}.kv`)
const leftovers = () => [
  ...readdirSync(join(stack.root, paths.promptCacheFolder)),
  ...readdirSync(join(stack.root, paths.state)).filter(name => name === 'prompt-cache.json'),
]

async function restart() {
  await stack.stopLlama()
  await stack.startLlama()
}
const restore = async () => restorePromptCache(host, await provenSlots(host, pid()))

/** Fills both slots, each with an agent's prompt, and saves them. */
async function saveTwo(): Promise<PersistedPromptCache> {
  await ask(stack, systemPromptOf('First'))
  await ask(stack, systemPromptOf('Second'))
  await savePromptCache(host, pid())
  const saved = promptCacheSchema.safeParse(JSON.parse(readFileSync(manifest(), 'utf8'))).data
  if (saved === undefined) throw new Error('nothing was saved')
  return saved
}

it('is restored after a restart, and its files are deleted', async () => {
  const { slots } = await saveTwo()
  expect(slots.map(({ tokens }) => tokens > 3000)).toEqual([true, true])
  await restart()
  await restore()
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
  expect((await ask(stack, systemPromptOf('Second'))).computed).toBeLessThan(few)
  expect(leftovers()).toEqual([])
})

it('is recomputed after a restart without saving', async () => {
  await ask(stack, systemPromptOf('First'))
  await restart()
  expect((await ask(stack, systemPromptOf('First'))).cached).toBeLessThan(few)
})

it('saves only what is in slots, not the prompt cache in RAM', async () => {
  settings.LLAMA_ARG_CACHE_RAM = '64'
  await restart()
  await ask(stack, systemPromptOf('Third'))
  await saveTwo()
  await restart()
  await restore()
  expect((await ask(stack, systemPromptOf('First'))).computed).toBeLessThan(few)
  expect((await ask(stack, systemPromptOf('Third'))).cached).toBeLessThan(few)
})

it('waits for an answer in progress, and saves its prompt too', async () => {
  await ask(stack, systemPromptOf('First'))
  const talk = stream(stack, 'bare socket', {
    messages: [{ role: 'user', content: systemPromptOf('Second') }],
    cache_prompt: true,
    ignore_eos: true,
    max_tokens: 1000,
  })
  await talk.begun
  await savePromptCache(host, pid())
  expect((await talk.ended).tokens).toBe(1000)
  const { slots } = promptCacheSchema.safeParse(JSON.parse(readFileSync(manifest(), 'utf8'))).data ?? {
    slots: [],
  }
  expect(slots.map(({ tokens }) => tokens > 3900).toSorted()).toEqual([false, true])
})

const write = (saved: PersistedPromptCache) => writeFileSync(manifest(), JSON.stringify(saved))
function each(damage: (file: string) => void) {
  for (const slot of [0, 1]) damage(fileOf(slot))
}
function flip(file: string, at: number) {
  const bytes = readFileSync(file)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
  writeFileSync(file, bytes)
}
/** Rewrites the index so that the damaged files match their recorded digests. */
function believe(saved: PersistedPromptCache) {
  const slots = saved.slots.map(prompt => {
    const bytes = readFileSync(fileOf(prompt.slot))
    return { ...prompt, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
  })
  write({ ...saved, slots })
}

describe('what is damaged is recomputed, and nothing is left behind', () => {
  it.each<[string, (saved: PersistedPromptCache) => void]>([
    ['truncated', () => each(file => truncateSync(file, 100_000))],
    ['empty', () => each(file => truncateSync(file))],
    ['longer', () => each(file => appendFileSync(file, 'x'))],
    ['changed by one byte', () => each(file => flip(file, 200_000))],
    ['gone', () => each(file => rmSync(file))],
    [
      'swapped',
      () => {
        renameSync(fileOf(0), `${fileOf(0)}.other`)
        renameSync(fileOf(1), fileOf(0))
        renameSync(`${fileOf(0)}.other`, fileOf(1))
      },
    ],
    [
      'a link',
      () =>
        each(file => {
          renameSync(file, `${file}.elsewhere`)
          symlinkSync(`${file}.elsewhere`, file)
        }),
    ],
    ['of another server', saved => write({ ...saved, server: 'another' })],
    ['without an index', () => rmSync(manifest())],
    ['with a truncated index', () => truncateSync(manifest(), 100)],
    ['with the index of another version', () => writeFileSync(manifest(), '{"version":2}')],
    [
      'refused by llama-server',
      saved => {
        each(file => flip(file, 4)) // its format's version
        believe(saved)
      },
    ],
  ])('%s', async (_, damage) => {
    damage(await saveTwo())
    await restart()
    const before = pid()
    await restore()
    expect((await ask(stack, systemPromptOf('First'))).cached).toBeLessThan(few)
    expect(pid()).toBe(before)
    expect(leftovers()).toEqual([])
  })
})

it.each([
  ['a context of another size', { LLAMA_ARG_KV_UNIFIED_PER_SLOT: '16384' }],
  ['a KV cache of another type', { LLAMA_ARG_CACHE_TYPE_K: 'q8_0', LLAMA_ARG_CACHE_TYPE_V: 'q8_0' }],
])('is not restored to a server with %s', async (_, changed) => {
  await saveTwo()
  Object.assign(settings, changed)
  await restart()
  expect(await provenSlots(host, pid())).toEqual([])
})

it('is restored to a server with a different number of threads', async () => {
  await saveTwo()
  settings.LLAMA_ARG_THREADS = '2'
  await restart()
  expect(await provenSlots(host, pid())).toHaveLength(2)
})

it('does not restore a file again that has crashed a server', async () => {
  const saved = await saveTwo()
  truncateSync(fileOf(0), 100_000)
  believe(saved)
  await restart()
  // Its index is deleted before it is restored: whichever process is killed meanwhile, it is not tried again.
  const http: Host['http'] = request => {
    expect(existsSync(manifest())).toBe(false)
    return host.http(request)
  }
  await restorePromptCache({ ...host, http }, await provenSlots(host, pid()))
  await expect.poll(() => stack.llamaRuns(), { timeout: 10_000 }).toBe(false)
  await restart()
  await restore()
  expect((await ask(stack, systemPromptOf('First'))).cached).toBeLessThan(few)
  expect(leftovers()).toEqual([])
})

it('saves nothing of a server that ends meanwhile, and says so', async () => {
  await ask(stack, systemPromptOf('First'))
  const dying = { ...host, http: () => Promise.reject(new Error('socket hang up')) }
  await savePromptCache(dying, pid())
  expect(promptCacheSchema.safeParse(JSON.parse(readFileSync(manifest(), 'utf8'))).data?.slots).toEqual([])
})

it('writes nothing if the disk may not have room for everything', async () => {
  await ask(stack, systemPromptOf('First'))
  const status = (path: string) => (path.endsWith('/status') ? 'RssAnon:\t99999999999 kB' : undefined)
  const files = { ...host.files, read: (path: string) => status(path) ?? host.files.read(path) }
  await savePromptCache({ ...host, files }, pid())
  expect(leftovers()).toEqual([])
})

describe('if killed at any step, it leaves a server that is serving', () => {
  function run(action: string, tracer: string[] = []) {
    const script = join(import.meta.dirname, 'support/prompt-cache-process.ts')
    const [program = '', ...args] = [...tracer, process.execPath, script, action, stack.root, String(pid())]
    return spawnSync(program, args, { encoding: 'utf8' })
  }
  function countOf(action: string, call: string) {
    const trace = join(stack.root, 'trace')
    const { status, stderr } = run(action, ['strace', '-f', '-o', trace, '-e', `trace=${call}`])
    expect(status, stderr).toBe(0)
    return readFileSync(trace, 'utf8')
      .split('\n')
      .filter(line => line.includes(`${call}(`)).length
  }
  async function saveAgain(action: string) {
    await restart()
    await saveTwo()
    if (action === 'restore') await restart()
  }

  it.each([
    { action: 'save', call: 'unlink' },
    { action: 'save', call: 'connect' },
    { action: 'save', call: 'fsync' },
    { action: 'save', call: 'rename' },
    { action: 'restore', call: 'unlink' },
    { action: 'restore', call: 'connect' },
  ])('$action at each $call', async ({ action, call }) => {
    await saveAgain(action)
    const count = countOf(action, call)
    expect(count).toBeGreaterThan(0)
    for (let number = 1; number <= count; number += 1) {
      await saveAgain(action)
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${number}`]
      expect(run(action, ['strace', '-f', '-o', '/dev/null', ...inject]).signal).toBe('SIGKILL')
      await restart()
      const before = pid()
      await restore()
      await ask(stack, systemPromptOf('First'))
      expect(pid()).toBe(before)
      expect(leftovers(), `${call} ${number} of ${count}`).toEqual([])
    }
  })
})
