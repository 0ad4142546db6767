/** Fifty clients on two slots, with a worker killed meanwhile: each client that stays gets its whole answer. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { wideSentenceModel } from '../mirror/sentence-model.ts'
import { runClients, summarize } from './support/concurrent-clients.ts'
import { type Stack, startStack } from './support/stack.ts'
import { generate } from './support/streams.ts'

const clients = 50
const slots = 2
/** Each takes a second or two on two cores; `make bench BENCH=many` does the same with generations of half a minute. */
const tokens = 15
const keys = ['first', 'second', 'third', 'fourth', 'fifth'].map(name => ({
  name,
  key: `${name}-key-0123456`,
}))

let stack: Stack
beforeAll(async () => {
  stack = await startStack(
    { ONEAPP_COPILOT_KEYS: keys.map(({ name, key }) => `${name}=${key}`).join('\n') },
    { settings: { LLAMA_ARG_MODEL: await wideSentenceModel(), LLAMA_ARG_ENDPOINT_SLOTS: '1' } },
  )
})
afterAll(() => stack?.close())

const begin = (client: number) => {
  const json = { prompt: 'Hello!', ignore_eos: true, max_tokens: 30_000 }
  return generate(stack, keys[client]?.key ?? '', '/v1/completions', json)
}

const busySlots = async () => {
  const { body } = await http({ url: 'http://x/slots', socket: stack.socket, timeout: 60 })
  const all: { is_processing: boolean }[] = JSON.parse(body)
  expect(all).toHaveLength(slots)
  return all.filter(slot => slot.is_processing).length
}

it('serves all clients that stay, each with its own text, and loses no slot', async () => {
  const kill = (count: number) => {
    if (count === 10) process.kill(stack.workers()[0] ?? 0, 'SIGKILL')
    if (count === 20) process.kill(stack.admissionWorkers()[0] ?? 0, 'SIGKILL')
  }
  const start = performance.now()
  const all = await runClients(stack, { clients, keys: keys.map(({ key }) => key), tokens, onAdmitted: kill })
  const { served, interrupted, meanRetries, mostRetries, longestWait } = summarize(all)
  console.log(
    `${served} served, ${interrupted} interrupted and served again, in ${((performance.now() - start) / 1000).toFixed(0)} s; ` +
      `retries: ${meanRetries.toFixed(1)} on average, ${mostRetries} at most; longest wait ${longestWait.toFixed(0)} s`,
  )

  const stayed = all.filter(({ behaviour }) => behaviour !== 'disconnects')
  expect(stayed).toHaveLength(45)
  expect(stayed.filter(({ isComplete }) => !isComplete)).toEqual([])
  const ids = stayed.flatMap(each => each.ids)
  expect(new Set(ids).size).toBe(stayed.length)
  expect(ids).toHaveLength(stayed.length)
  expect(interrupted).toBeGreaterThan(0)

  await expect.poll(busySlots, { timeout: 60_000 }).toBe(0)
  const streams = await Promise.all([begin(0), begin(1)])
  expect(streams.map(({ status }) => status)).toEqual([200, 200])
  expect((await begin(2)).status).toBe(429)
  for (const { disconnect } of streams) disconnect()
  await expect.poll(busySlots, { timeout: 60_000 }).toBe(0)
})
