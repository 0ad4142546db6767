/** The admission proxy counts correctly whatever happens to nginx's workers: no slot is lost or taken twice. */
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { edgeHeaders } from '../../lib/appliance/requests/api.ts'
import { parseResponses } from './support/raw-requests.ts'
import { type Stack, startStack } from './support/stack.ts'
import { type Generation, generate } from './support/streams.ts'

// Two slots, and no key may take the last one.
const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1', carol: 'carols-own-key-3210' }
const context = {
  ONEAPP_COPILOT_KEYS: Object.entries(keys)
    .map(([name, key]) => `${name}=${key}`)
    .join('\n'),
}
const endless = { messages: [{ role: 'user', content: 'Hi' }], ignore_eos: true, max_tokens: 30_000 }

let stack: Stack
beforeAll(async () => {
  stack = await startStack(context)
})
afterAll(() => stack?.close())

const begin = (name: keyof typeof keys, more = {}) =>
  generate(stack, keys[name], '/v1/chat/completions', { ...endless, ...more })

/** Retries until it is admitted. */
async function admitted(name: keyof typeof keys): Promise<Generation> {
  const generation = await begin(name).catch(() => undefined)
  return generation?.status === 200 ? generation : admitted(name)
}

it.each(['edge', 'admission'] as const)(
  'admits as many as before after workers of the %s proxy were killed during streams',
  async whose => {
    const streams = [await admitted('alice'), await admitted('bob')]
    for (const pid of whose === 'edge' ? stack.workers() : stack.admissionWorkers())
      process.kill(pid, 'SIGKILL')
    for (const { ended, events } of streams) {
      await ended
      expect(events()).not.toContain('[DONE]')
    }
    const again = [await admitted('alice'), await admitted('bob')]
    expect((await begin('carol')).status).toBe(429)
    for (const { disconnect } of again) disconnect()
  },
)

it('counts the streams of old workers after a reload', async () => {
  const old = await admitted('alice')
  await stack.reloadNginx()
  const other = await admitted('bob')
  const more = await begin('carol')
  expect([more.status, more.retryAfter]).toEqual([429, expect.any(Number)])
  expect((await begin('alice')).status).toBe(429)
  old.disconnect()
  const next = await admitted('carol')
  for (const { disconnect } of [other, next]) disconnect()
})

it('rejects a long prompt like a short one', async () => {
  const streams = [await admitted('alice'), await admitted('bob')]
  const messages = [{ role: 'user', content: 'word '.repeat(180_000) }]
  expect((await begin('carol', { messages })).status).toBe(429)
  for (const { disconnect } of streams) disconnect()
})

it('frees a slot with the last byte of its answer, before the edge proxy has closed the connection', async () => {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'word '.repeat(300) }], max_tokens: 1 })
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: localhost',
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    `${edgeHeaders.tenant.name}: alice`,
  ]
  const answered = () =>
    new Promise<{ status: number; close: () => void }>((resolve, reject) => {
      const socket = connect(stack.admissionSocket, () => socket.write(`${head.join('\r\n')}\r\n\r\n${body}`))
      let received = ''
      socket.setEncoding('latin1').on('error', reject)
      socket.on('data', text => {
        received += text
        const [answer] = parseResponses(received)
        if (answer?.body.endsWith('}') || answer?.status === 429)
          resolve({ status: answer.status, close: () => socket.destroy() })
      })
    })
  // Streams that the tests before have disconnected may not have ended yet.
  await expect.poll(async () => (await answered()).status, { timeout: 30_000 }).toBe(200)
  const answers = [await answered(), await answered(), await answered()]
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
  for (const { close } of answers) close()
})
