/** The publishers' sampling defaults in the real llama-server: used if a request does not set its own. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { catalogue } from '../../lib/appliance/models/catalogue.ts'
import { llamaSettings } from '../../lib/render/units/llama.ts'
import { http } from '../../lib/system/http.ts'
import { unpackedRelease } from '../mirror/llama-release.ts'
import { capacityFor } from '../support/capacity.ts'
import { type Stack, startStack } from './support/stack.ts'

const settingsOf = (model: (typeof catalogue)[keyof typeof catalogue]) =>
  llamaSettings(capacityFor(model, { contextSize: 512, parallel: 1, threads: 1 }))

const sampling = Object.fromEntries(
  Object.entries(settingsOf(catalogue['qwen3-coder-30b-a3b'])).filter(([name]) =>
    /_(TEMPERATURE|TOP_P|TOP_K|MIN_P|REPEAT_PENALTY)$/.test(name),
  ),
)

let stack: Stack
beforeAll(async () => {
  stack = await startStack({ ONEAPP_COPILOT_CONTEXT_SIZE: '512' }, { settings: sampling })
})
afterAll(() => stack.close())

/** The sampling parameters that were used for a request. */
async function used(request: Record<string, number>) {
  const json = { prompt: 'Hello', n_predict: 1, ...request }
  const answer = await http({ url: 'http://x/completion', socket: stack.socket, json, timeout: 60 })
  const { temperature, top_p, top_k, repeat_penalty } = JSON.parse(answer.body).generation_settings
  return [temperature, top_p, top_k, repeat_penalty].map(value => Math.round(value * 100) / 100)
}

it("a request without parameters is sampled with the publisher's", async () => {
  expect(await used({})).toEqual([0.7, 0.8, 20, 1.05])
})

it("a request's own values win", async () => {
  const own = { temperature: 0.1, top_p: 0.5, top_k: 3, repeat_penalty: 1.2 }
  expect(await used(own)).toEqual([0.1, 0.5, 3, 1.2])
})

it.each(Object.values(catalogue))('$name only has settings that llama-server knows', async model => {
  const help = execFileSync(join(await unpackedRelease(), 'llama-server'), ['--help'], { encoding: 'utf8' })
  const known = new Set(help.match(/LLAMA_ARG_[A-Z0-9_]+/g))
  expect(Object.keys(settingsOf(model)).filter(name => !known.has(name))).toEqual([])
})
