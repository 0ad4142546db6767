/** The speed of the real llama-server is measured with random tokens, when it is idle, once per start. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { speedOf } from '../../lib/steps/llama/speed.ts'
import { eventsOf } from '../../lib/steps/services/smoke-test.ts'
import { filesUnder } from '../../lib/system/files.ts'
import type { Host } from '../../lib/system/host.ts'
import { http } from '../../lib/system/http.ts'
import { recordedHost } from '../support/recorded-host.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
beforeAll(async () => {
  // Large enough for a generation without an end to outlast a test.
  stack = await startStack({ ONEAPP_COPILOT_CONTEXT_SIZE: '131072' })
})
afterAll(() => stack?.close())

type TokenCounts = { prompt_n: number; cache_n: number }

/** A host with the stack's llama-server, and the token counts of each of its answers. */
function hostOf(
  pid: number | undefined,
  socket = stack.socket,
): { host: Host & { lines: string[] }; timings: TokenCounts[] } {
  const timings: TokenCounts[] = []
  const recorded = recordedHost({ random: randomBytes }, command =>
    command.startsWith('systemctl ') ? { stdout: `MainPID=${pid}\n` } : undefined,
  )
  const { files } = recorded
  const host = {
    ...recorded,
    files: {
      ...files,
      at: (path: string) => (path === paths.socket ? socket : files.at(path)),
      read: (path: string) => (path.startsWith('/proc/') ? filesUnder('/') : files).read(path),
      list: (path: string) => filesUnder('/').list(path),
    },
    http: async (wanted: Parameters<Host['http']>[0]) => {
      const answer = await http(wanted)
      timings.push(JSON.parse(eventsOf(answer.body).at(-1) ?? '').timings)
      return answer
    },
  }
  return { host, timings }
}

/** Starts an endless generation; resolves with a function that disconnects. */
const talk = () =>
  new Promise<() => void>((resolve, reject) => {
    const sent = request(
      { socketPath: stack.socket, path: '/completion', method: 'POST', agent: false },
      response => response.once('data', () => resolve(() => sent.destroy())).on('error', () => undefined),
    )
    sent.on('error', reject)
    sent.end(JSON.stringify({ prompt: 'Hi', stream: true, ignore_eos: true, n_predict: 100_000 }))
  })

it('measures an idle server without help from its cache, and only once per start', async () => {
  const { host, timings } = hostOf(stack.llamaPid())
  const first = await speedOf(host, 'run 1')
  expect(first).toMatchObject({ invocation: 'run 1' })
  expect(first.speed?.prompt).toBeGreaterThan(0)
  expect(first.speed?.generation).toBeGreaterThan(0)
  expect(host.lines.join('\n')).toMatch(/Speed: prompt [\d.]+ tokens\/s, generation [\d.]+ tokens\/s/)
  console.log(host.lines.join('\n'))
  expect(timings[0]?.prompt_n).toBe(16)

  const before = timings.length
  expect(await speedOf(host, 'run 1')).toEqual(first)
  expect(timings.length).toBe(before)
  expect(await speedOf(host, 'run 2')).toMatchObject({ invocation: 'run 2' })
  expect(timings.length).toBeGreaterThan(before)
  for (const { cache_n } of timings) expect(cache_n).toBe(0)
})

it('leaves a busy server alone, and says so', async () => {
  const { host, timings } = hostOf(stack.llamaPid())
  const leave = await talk()
  try {
    const { speed, notes } = await speedOf(host, 'run 1')
    expect(speed).toBeUndefined()
    expect(notes).toEqual([expect.stringMatching(/could not be measured: llama-server is busy/)])
    expect(timings).toEqual([])
  } finally {
    leave()
  }
})

it('says why there is no speed if the server does not answer, without failing', async () => {
  const { host } = hostOf(stack.llamaPid(), '/run/nobody/llama.sock')
  const measured = await speedOf(host, 'run 1')
  expect(measured.speed).toBeUndefined()
  expect(measured.notes).toEqual([expect.stringMatching(/could not be measured: .*llama\.sock/)])
  expect(host.lines).toEqual(measured.notes)
  expect(await speedOf(host, 'run 1')).toEqual(measured)
})
