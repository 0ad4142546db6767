/** Measures llama-server's speed once per run, and remembers it until the machine reboots. */
import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { paths, units } from '../../appliance/paths.ts'
import { loadNotes } from '../../appliance/sizing/hardware.ts'
import {
  firstPromptTokens,
  generatedTokens,
  type Measurement,
  measurementTime,
  promptTokensFor,
  type Speed,
  speedText,
} from '../../appliance/sizing/speed.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { Host } from '../../system/host.ts'
import { isWorking } from '../../system/processes.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { unitStatus } from '../../system/systemd.ts'

/** Seconds within which an answer must be complete; a healthy machine takes about ten. */
const answerTimeout = 60

/**
 * Samples of llama-server's threads: at most how many, how many milliseconds apart, and how many idle ones in
 * a row.
 */
const mostSamples = 50
const sampleInterval = 100
const idleSamples = 5

/** Token ids that are text in every vocabulary: control tokens come first, and the smallest vocabulary has 32,000. */
const firstTextToken = 1000
const textTokens = 30_000

/** llama-server's own timings, which each event of a stream contains. */
const eventSchema = z.object({
  timings: z.object({
    prompt_per_second: z.number(),
    predicted_ms: z.number(),
    predicted_per_second: z.number(),
  }),
})
type EventTimings = z.infer<typeof eventSchema>['timings']

/**
 * The speed of this run of llama-server, recorded or measured now (in a few seconds). If it cannot be
 * measured, a note says why; nothing is thrown.
 */
export async function speedOf(host: Host, invocation: string): Promise<Measurement> {
  const recorded = readState(host, stateFiles.measurement)
  if (recorded?.invocation === invocation) return recorded
  const measurement = { invocation, ...(await measureOrExplain(host)) }
  writeState(host, stateFiles.measurement, measurement)
  return measurement
}

async function measureOrExplain(host: Host): Promise<Omit<Measurement, 'invocation'>> {
  const before = host.facts()
  try {
    const { mainPid } = await unitStatus(host, units.llama)
    const speed = await measureSpeed(host, mainPid, host.files.at(paths.socket))
    const notes = loadNotes(before, host.facts())
    host.log.info(`Speed: ${speedText(speed)}`)
    for (const note of notes) host.log.warn(note)
    return { speed, notes }
  } catch (error) {
    const note = `The speed could not be measured: ${(error as Error).message}`
    host.log.warn(note)
    return { notes: [note] }
  }
}

/**
 * Measures an idle llama-server directly, bypassing both nginx: a client that needs the slot meanwhile waits
 * a few seconds. Throws if llama-server is busy with other requests, or does not answer.
 */
async function measureSpeed(host: Host, pid: number, socket: string): Promise<Speed> {
  if (!(await isIdle(host, pid))) throw new Error('llama-server is busy with requests.')
  const first = await compute(host, socket, firstPromptTokens, generatedTokens)
  const tokens = promptTokensFor(first.prompt_per_second)
  const { prompt_per_second } = tokens === undefined ? first : await compute(host, socket, tokens, 1)
  return { prompt: prompt_per_second, generation: first.predicted_per_second }
}

/** Whether llama-server is idle. Samples repeatedly, since threads that have just finished keep spinning briefly. */
async function isIdle(host: Host, pid: number): Promise<boolean> {
  let idle = 0
  for (let sample = 0; sample < mostSamples && idle < idleSamples; sample++) {
    idle = isWorking(host, pid) ? 0 : idle + 1
    await sleep(sampleInterval)
  }
  return idle === idleSamples
}

/**
 * Makes llama-server process random tokens, which no cache contains, and generate for `measurementTime`. They
 * stay in one slot until a conversation takes it, and are then the first to be evicted from the prompt cache.
 */
async function compute(host: Host, socket: string, tokens: number, generated: number): Promise<EventTimings> {
  const json = {
    prompt: randomTokens(host, tokens),
    n_predict: generated,
    ignore_eos: true,
    cache_prompt: false,
    stream: true,
    timings_per_token: true,
  }
  const answer = await host.http({
    url: 'http://localhost/completion',
    socket,
    json,
    isEnough: arrivals => (lastTimings(arrivals.join(''))?.predicted_ms ?? 0) > measurementTime * 1000,
    timeout: answerTimeout,
  })
  const timings = lastTimings(answer.body)
  if (timings !== undefined) return timings
  throw new Error(`llama-server answered ${answer.status}: ${answer.body.slice(0, 300)}`)
}

function randomTokens(host: Host, count: number): number[] {
  const random = host.random(2 * count)
  return Array.from(
    { length: count },
    (_, index) => firstTextToken + (random.readUInt16LE(2 * index) % textTokens),
  )
}

/** The timings in the last complete event of a stream; undefined if there are none. */
function lastTimings(body: string): EventTimings | undefined {
  const events = body.slice(0, Math.max(0, body.lastIndexOf('\n\n'))).split('\n\n')
  const last = events.findLast(event => event.startsWith('data: {'))
  return last === undefined
    ? undefined
    : eventSchema.safeParse(JSON.parse(last.slice('data: '.length))).data?.timings
}
