import { expect, it } from 'vitest'
import { paths } from '../../../../lib/appliance/paths.ts'
import { speedOf } from '../../../../lib/steps/llama/speed.ts'
import type { HttpRequest } from '../../../../lib/system/http.ts'
import { facts, recordedHost } from '../../../support/recorded-host.ts'

const event = (prompt: number, milliseconds: number, generation: number) =>
  `data: ${JSON.stringify({
    content: 'x',
    timings: {
      prompt_per_second: prompt,
      predicted_ms: milliseconds,
      predicted_per_second: generation,
    },
  })}\n\n`

/** A host with an idle llama-server that answers every request with these chunks until they are enough. */
function hostWith(pieces: string[], status = 200) {
  const asked: HttpRequest[] = []
  const recorded = recordedHost({}, () => ({ stdout: 'MainPID=7\n' }))
  recorded.files.replace('/proc/7/task/7/stat', '7 (llama-server) R) S 1 7 7\n', 0o644)
  const http = async (request: HttpRequest) => {
    asked.push(request)
    const arrivals: string[] = []
    for (const piece of pieces) {
      arrivals.push(piece)
      if (request.isEnough?.(arrivals)) break
    }
    return { status, headers: {}, body: arrivals.join(''), arrivals }
  }
  return { host: { ...recorded, http }, asked }
}

it('cuts off a generation that exceeds the time, and skips the second prompt', async () => {
  const half = event(2.5, 9000, 0.4).slice(0, 30)
  const { host, asked } = hostWith([
    event(2.5, 0, 0),
    event(2.5, 4000, 0.6),
    half,
    event(2.5, 9000, 0.4).slice(30),
    event(2.5, 99_000, 0.1),
  ])
  expect(await speedOf(host, 'a')).toEqual({
    invocation: 'a',
    speed: { prompt: 2.5, generation: 0.4 },
    notes: [],
  })
  expect(asked).toHaveLength(1)
  expect(host.files.status(paths.measurement)?.mode).toBe(0o600)
})

it('asks for tokens that no cache has, as a stream with timings, and logs the speed', async () => {
  const { host, asked } = hostWith([event(30, 1000, 8)])
  await speedOf(host, 'a')
  const json = { cache_prompt: false, ignore_eos: true, stream: true, timings_per_token: true }
  const request = { url: 'http://localhost/completion', socket: host.files.at(paths.socket), json }
  expect(asked).toMatchObject([request, request])
  expect(host.lines).toEqual([expect.stringMatching(/^Speed: .*30.* 8/)])
})

it.each([
  [0, 1000],
  [29_999, 30_999],
  [30_000, 1000],
  [65_535, 6535],
])('asks for text tokens, whatever the random number: %d', async (number, token) => {
  const { host, asked } = hostWith([event(2.5, 9000, 0.4)])
  const random = (bytes: number) => {
    const all = Buffer.alloc(bytes)
    for (let at = 0; at < bytes; at += 2) all.writeUInt16LE(number, at)
    return all
  }
  await speedOf({ ...host, random }, 'a')
  expect(asked.map(({ json }) => new Set((json as { prompt: number[] }).prompt))).toEqual([new Set([token])])
})

it('measures as long a prompt as the time allows', async () => {
  const { host, asked } = hostWith([event(30, 1000, 8)])
  await speedOf(host, 'a')
  expect(asked.map(({ json }) => json)).toMatchObject([
    { prompt: { length: 16 }, n_predict: 32 },
    { prompt: { length: 150 }, n_predict: 1 },
  ])
})

it('notes the load of the machine during the measurement, and keeps the note', async () => {
  const { host } = hostWith([event(30, 1000, 8)])
  let looks = 0
  const seen = () => ({ ...facts, cpuTime: { total: 1000 + 100 * looks, stolen: 50 * looks++ } })
  const measured = await speedOf({ ...host, facts: seen }, 'a')
  expect(measured.notes).toEqual([expect.stringContaining('50 %')])
  expect(host.lines).toContain(measured.notes[0])
  const lines = host.lines.length
  expect(await speedOf(host, 'a')).toEqual(measured)
  expect(host.lines.length).toBe(lines)
})

it.each([
  [[''], 200, /answered 200/],
  [['{"error":"x"}'], 500, /answered 500: \{"error":"x"\}/],
  [['data: {"error":{}}\n\n'], 200, /answered 200: data: \{"error"/],
])('rejects %j with status %i as a measurement', async (pieces, status, note) => {
  const { host } = hostWith(pieces, status)
  const { notes, ...rest } = await speedOf(host, 'a')
  expect(rest).toEqual({ invocation: 'a' })
  expect(notes).toEqual([expect.stringMatching(note)])
  expect(host.lines).toEqual(notes)
})

it('measures again if the record is unreadable or from another run', async () => {
  const { host } = hostWith([event(30, 1000, 8)])
  for (const kept of ['{"invocation":"a"}', '{"invocation":"b","notes":[]}']) {
    host.files.replace(paths.measurement, kept, 0o600)
    expect((await speedOf(host, 'a')).speed).toEqual({ prompt: 30, generation: 8 })
  }
})
