/** `/metrics` from the real nginx and llama-server: who may read it, what it has, and that no batch delays it. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { type Stack, startStack } from './support/stack.ts'

const metricsKey = 'key-of-the-metrics-1'
const alice = 'key-of-alice-12345'
const written = '# HELP slm_copilot_test A test.\n# TYPE slm_copilot_test gauge\nslm_copilot_test 1\n'

let stack: Stack
beforeAll(async () => {
  stack = await startStack({
    ONEAPP_COPILOT_KEYS: `alice=${alice}`,
    ONEAPP_COPILOT_METRICS_KEY: metricsKey,
  })
  writeFileSync(stack.metrics, written)
})
afterAll(() => stack?.close())

const ask = (path: string, key: string | undefined, request: Partial<Parameters<typeof http>[0]> = {}) =>
  http({
    url: `${stack.url}${path}`,
    ca: stack.ca,
    timeout: 60,
    headers: key === undefined ? {} : { authorization: key },
    ...request,
  })
const basic = (name: string, key: string) => `Basic ${Buffer.from(`${name}:${key}`).toString('base64')}`
const valueIn = (text: string, name: string) => Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1])

describe('access', () => {
  it.each([
    ['no key', undefined, 401],
    ['a wrong key', 'Bearer wrong-key-12345', 401],
    ['the key of the metrics', `Bearer ${metricsKey}`, 200],
    ['as a password', basic('metrics', metricsKey), 200],
    ['under another name', basic('alice', metricsKey), 401],
    ["a developer's key", `Bearer ${alice}`, 200],
  ])('with %s', async (_, key, status) => {
    expect((await ask('/metrics', key)).status).toBe(status)
  })

  it.each([
    '/v1/models',
    '/props',
    '/metrics/',
    '/metrics/x',
    '/v1/../props',
    '/slm-copilot-metrics/metrics',
    '/admission-status',
  ])('the key of the metrics opens nothing else: %s', async path => {
    for (const key of [`Bearer ${metricsKey}`, basic('metrics', metricsKey)])
      expect((await ask(path, key)).status).toBe(401)
  })

  it('a generation with it is refused', async () => {
    const json = { messages: [{ role: 'user', content: 'Hello' }], max_tokens: 1 }
    expect((await ask('/v1/chat/completions', `Bearer ${metricsKey}`, { json })).status).toBe(401)
  })

  it.each(['/slm-copilot-metrics/metrics', '/slm-copilot-metrics/edge', '/admission-status'])(
    'no key opens what a scrape asks: %s',
    async path => {
      expect((await ask(path, `Bearer ${alice}`)).status).toBe(404)
    },
  )

  it('a scrape with it is not logged, and one with another key is', async () => {
    const count = () => readFileSync(stack.accessLog, 'utf8').match(/path=\/metrics status=200/g)?.length ?? 0
    const before = count()
    await ask('/metrics', `Bearer ${metricsKey}`)
    await ask('/metrics', `Bearer ${alice}`)
    await expect.poll(count).toBeGreaterThan(before)
    expect(count()).toBe(before + 1)
  })
})

describe('a scrape', () => {
  it('has everything in the format that Prometheus reads', async () => {
    const { body, headers } = await ask('/metrics', `Bearer ${metricsKey}`)
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(body.startsWith(written)).toBe(true)
    const names = [
      'nginx_up',
      'slm_copilot_admission_up',
      'slm_copilot_llama_up',
      'slm_copilot_llama_metrics_up',
    ]
    for (const name of names) expect([name, valueIn(body, name)]).toEqual([name, 1])
    expect(valueIn(body, 'slm_copilot_slots_busy')).toBe(0)
    expect(valueIn(body, 'nginx_connections_active')).toBeGreaterThan(0)
    expect(body).toMatch(/^llamacpp:tokens_predicted_total \d/m)
    // Names of others: llama-server's, and those of nginx's own exporter.
    const ours = body.replace(/^.*(llamacpp:|nginx_connections_(accepted|handled)).*\n/gm, '')
    execFileSync('promtool', ['check', 'metrics'], { input: ours })
  })

  it('counts busy slots, and does not wait for a batch', async () => {
    const messages = [{ role: 'user', content: 'word '.repeat(25_000) }]
    const json = { messages, max_tokens: 200, ignore_eos: true, stream: true }
    let hasStarted = false
    const started = () => {
      hasStarted = true
      return false
    }
    const stream = ask('/v1/chat/completions', `Bearer ${alice}`, {
      json,
      isEnough: started,
    })
    const seen: { busy: number; up: number; took: number }[] = []
    let isDone = false
    const end = stream.finally(() => {
      isDone = true
    })
    while (!isDone) {
      const start = performance.now()
      const { body } = await ask('/metrics', `Bearer ${metricsKey}`)
      seen.push({
        busy: valueIn(body, 'slm_copilot_slots_busy'),
        up: valueIn(body, 'slm_copilot_llama_up'),
        took: performance.now() - start,
      })
      // More than 50 a second from one address are too many.
      await setTimeout(50)
    }
    await end
    expect(hasStarted).toBe(true)
    expect(Math.max(...seen.map(({ busy }) => busy))).toBe(1)
    expect(Math.max(...seen.map(({ took }) => took))).toBeLessThan(6000)
  })

  it('says so if llama-server is stopped, hangs, or is gone', async () => {
    process.kill(stack.llamaPid() ?? 0, 'SIGSTOP')
    const start = performance.now()
    const hung = await ask('/metrics', `Bearer ${metricsKey}`)
    expect(performance.now() - start).toBeLessThan(6000)
    process.kill(stack.llamaPid() ?? 0, 'SIGCONT')
    await stack.stopLlama()
    const gone = await ask('/metrics', `Bearer ${metricsKey}`)
    for (const { status, body } of [hung, gone]) {
      expect(status).toBe(200)
      expect(valueIn(body, 'slm_copilot_llama_up')).toBe(0)
      expect(valueIn(body, 'slm_copilot_llama_metrics_up')).toBe(0)
      expect(valueIn(body, 'slm_copilot_admission_up')).toBe(1)
      expect(body).not.toContain('llamacpp:')
    }
    await stack.startLlama()
    expect(valueIn((await ask('/metrics', `Bearer ${metricsKey}`)).body, 'slm_copilot_llama_up')).toBe(1)
  })
})
