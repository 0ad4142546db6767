/** Alert rules and dashboard, against a real Prometheus that scrapes the real nginx and llama-server under load. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { metricsTimer, startPrometheus } from './support/prometheus.ts'
import { type Stack, startStack } from './support/stack.ts'

const folder = join(import.meta.dirname, '../../packer/monitoring')
const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1' }
const metricsKey = 'key-of-the-metrics-1'

type Panel = { title: string; targets: { expr: string }[] }
const { panels } = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as { panels: Panel[] }

/** A query of the dashboard as Grafana sends it. */
const filled = (expression: string) =>
  expression.replaceAll('$__rate_interval', '10s').replaceAll('$instance', '.+')

/** Panels without data: no model is fetched in this test, and it runs no bootstrap. */
const empty = ['Model being fetched', 'Last smoke test']

describe('promtool', () => {
  it.each([
    ['check', 'alerts.yaml'],
    ['test', 'alerts.test.yaml'],
  ])('%s rules %s', (act, file) => {
    expect(execFileSync('promtool', [act, 'rules', file], { cwd: folder, encoding: 'utf8' })).toContain(
      'SUCCESS',
    )
  })
})

describe('a Prometheus that scrapes an appliance', () => {
  let stack: Stack
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>
  let hasEnded = false
  let load: Promise<unknown>

  beforeAll(async () => {
    stack = await startStack({
      ONEAPP_COPILOT_KEYS: `alice=${keys.alice}:1 bob=${keys.bob}`,
      ONEAPP_COPILOT_METRICS_KEY: metricsKey,
    })
    const write = metricsTimer(stack)
    await write()
    prometheus = await startPrometheus(stack, metricsKey)
    const repeat = async (act: () => Promise<unknown>) => {
      while (!hasEnded) {
        await act()
        await sleep(100)
      }
    }
    const ask = (key: string) =>
      http({
        url: `${stack.url}/v1/chat/completions`,
        ca: stack.ca,
        headers: { authorization: `Bearer ${key}` },
        json: { messages: [{ role: 'user', content: 'word '.repeat(50) }], max_tokens: 20, stream: true },
        timeout: 60,
      })
    load = Promise.all(
      [keys.alice, keys.alice, keys.bob, keys.bob, 'wrong-key-12345']
        .map(key => repeat(() => ask(key)))
        .concat(repeat(write)),
    )
  })
  afterAll(async () => {
    hasEnded = true
    await load
    await prometheus?.close()
    await stack?.close()
  })

  it('is up, with the key that opens nothing else', async () => {
    await vi.waitFor(async () => {
      expect(
        await prometheus.query('sum(rate(slm_copilot_requests_total{status="200"}[10s])) > 0'),
      ).toHaveLength(1)
      expect(await prometheus.query('slm_copilot_refused_total{limit="key"} > 1')).not.toEqual([])
    }, 60_000)
    const [up] = await prometheus.query('up')
    expect(up?.value?.[1]).toBe('1')
  })

  it.each(panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)))(
    'has data for %s: %s',
    async (title, expression) => {
      const result = await prometheus.query(filled(expression))
      if (empty.includes(title)) expect(result).toEqual([])
      else expect(result.filter(({ value }) => Number.isFinite(Number(value?.[1])))).not.toEqual([])
    },
  )

  it('evaluates all alert rules, and none fires', async () => {
    const { groups } = await prometheus.get<{
      groups: { rules: { name: string; health: string; state: string }[] }[]
    }>('rules')
    const rules = groups.flatMap(group => group.rules)
    expect(rules.length).toBeGreaterThan(10)
    for (const { name, health, state } of rules)
      expect([name, health, state !== 'firing']).toEqual([name, 'ok', true])
  })

  it('knows every metric of the rules', async () => {
    const names = await prometheus.get<string[]>('label/__name__/values')
    const used = readFileSync(join(folder, 'alerts.yaml'), 'utf8').match(/slm_copilot_\w+/g) ?? []
    const absent = ['slm_copilot_model_pending']
    expect([...new Set(used)].filter(name => !names.includes(name))).toEqual(absent)
  })
})
