/** Several developers who complete at the same time: with one key, and with one key through a router. */
import { X509Certificate } from 'node:crypto'
import { request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { companionLimits } from '../../lib/appliance/nginx/limits.ts'
import { fleetKey, keys, startRouter, type TestRouter } from './support/fleet.ts'
import { type Edge, type Stack, startStack } from './support/stack.ts'

let alone: Stack
let copilot: Stack
let router: TestRouter
beforeAll(async () => {
  ;[alone, copilot] = await Promise.all([
    startStack({}, { companions: ['infill'] }),
    // A router counts completions as it counts chat.
    startStack(
      { ONEAPP_COPILOT_FLEET_KEY: fleetKey, ONEAPP_COPILOT_PARALLEL: '4' },
      { companions: ['infill'] },
    ),
  ])
  router = await startRouter([`${copilot.url}=${new X509Certificate(copilot.ca).fingerprint256}`])
})
afterAll(() => Promise.all([router, copilot, alone].map(edge => edge?.close())))

/** Tokens of a completion beside which others begin. */
const long = 256

/** A completion from this address: `begun` once its first token is there, and what it got in the end. */
function complete(edge: Edge, key: string, localAddress: string, tokens = long) {
  const json = JSON.stringify({
    input_prefix: 'def add(left, right):\n',
    input_suffix: '\n',
    prompt: '    return',
    n_predict: tokens,
    ignore_eos: true,
    stream: true,
  })
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<{ status: number; events: number }>()
  const options = {
    host: '127.0.0.1',
    port: edge.httpsPort,
    path: '/infill',
    method: 'POST',
    ca: edge.ca,
    agent: false as const,
    localAddress,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(120_000),
  }
  httpsRequest(options, response => {
    let body = ''
    response.setEncoding('utf8').on('data', chunk => {
      body += chunk
      if (body.includes('data: {')) begun.resolve()
    })
    response.on('error', ended.reject).on('end', () => {
      begun.resolve()
      const events = body.split('\n').filter(line => line.startsWith('data: {')).length
      ended.resolve({ status: response.statusCode ?? 0, events })
    })
  })
    .on('error', ended.reject)
    .end(json)
  return { begun: begun.promise, ended: ended.promise }
}

it('with one key alone, all that the service takes at once may be of its holders', async () => {
  const { all } = companionLimits.completion
  const answers = await Promise.all(
    Array.from({ length: all + 1 }, (_, index) => complete(alone, alone.key, `127.0.0.${index + 2}`).ended),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: all }, () => 200), 429])
})

it.each([
  ['on a copilot', () => ({ edge: alone, key: alone.key })],
  ['through a router', () => ({ edge: router, key: keys.alice })],
])('with one key, %s, no completion ends another', async (_, using) => {
  const { edge, key } = using()
  const older = complete(edge, key, '127.0.0.2')
  await Promise.race([older.begun, older.ended])
  expect(await complete(edge, key, '127.0.0.2', 4).ended).toMatchObject({ status: 200 })
  expect(await older.ended).toEqual({ status: 200, events: expect.toSatisfy(events => events >= long) })
})
