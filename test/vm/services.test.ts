/** The services beside chat on the booted appliance: downloaded when asked for, run, healed, taken away. */
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { vectorLength } from '../mirror/embedding-model.ts'
import { gapText } from '../mirror/infill-model.ts'
import { type Mirror, startMirror } from '../mirror/mirror.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask } from './client.ts'
import { changeContext } from './context.ts'
import { hostSeenByGuest, type Machine } from './machine.ts'
import { contextualizeNow } from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

let mirror: Mirror
let machine: Machine
let access: AccessFiles
const wishes = () => ({
  ONEAPP_COPILOT_COMPLETION: 'infill',
  ONEAPP_COPILOT_EMBEDDINGS: 'vectors ranker',
  ONEAPP_COPILOT_MODEL_MIRROR: `http://${hostSeenByGuest}:${mirror.port}`,
})
const units = ['completion', 'embeddings', 'reranking'].map(kind => `slm-copilot-${kind}.service`)

beforeAll(async () => {
  mirror = await startMirror()
  machine = await readyContainer()
  access = await readAccess(machine)
})
afterAll(() => mirror?.close())

async function contextualize(context: Record<string, string>): Promise<string> {
  await changeContext(machine, context)
  return contextualizeNow(machine)
}

/** The stages by hand, with the context that is there: the framework runs them only if it has changed. */
const runStages = () =>
  sshOutput(machine, 'slm-copilot configure --context-file /run/one-context/one_env && slm-copilot bootstrap')

const post = async (path: string, json: object) => {
  const { status, body } = await ask(access, path, { json, timeout: 120 })
  return { status, answer: status === 200 ? JSON.parse(body) : body }
}
const gap = { input_prefix: 'def add(left, right):\n    return', input_suffix: '\n', n_predict: 16 }
const fill = () => post('/infill', gap)
const chats = async () =>
  (await post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] })).status === 200

async function until(look: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 300_000
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`After five minutes still not: ${look}`)
    await setTimeout(300)
  }
}
const states = () =>
  ssh(machine, `systemctl is-active ${units.join(' ')}`).then(({ stdout }) =>
    stdout.split('\n').filter(Boolean),
  )

it('has none, and fetches none, unless asked', async () => {
  expect(await states()).toEqual(['inactive', 'inactive', 'inactive'])
  expect((await fill()).status).not.toBe(200)
  expect((await post('/v1/embeddings', { input: 'a' })).status).toBe(404)
})

it('runs them once their models are downloaded, while chat serves', async () => {
  expect(await contextualize(wishes())).toBe('bootstrap_success')
  expect(await chats()).toBe(true)
  await until(async () => (await fill()).status === 200)
  await until(async () => (await states()).every(state => state === 'active'))
  console.log(
    await sshOutput(
      machine,
      'slm-copilot status; systemctl show --property=ActiveState,MemoryMax,CPUWeight,MainPID slm-copilot-*.service | cat',
    ),
  )
  expect((await fill()).answer.content).toBe(gapText)
  const vectors = (await post('/v1/embeddings', { model: 'vectors', input: ['a', 'b'] })).answer.data
  expect(vectors.map(({ embedding }: { embedding: number[] }) => embedding.length)).toEqual([
    vectorLength,
    vectorLength,
  ])
  expect((await post('/v1/rerank', { query: 'a', documents: ['b', 'c'] })).answer.results).toHaveLength(2)
  expect(await chats()).toBe(true)
})

it('says so in report, status and client settings', async () => {
  const report = await sshOutput(machine, 'cat /etc/one-appliance/config')
  expect(report).toMatch(/^completion +=? ?infill, at \/infill/m)
  const status = await sshOutput(machine, 'slm-copilot status')
  for (const unit of units) expect(status).toContain(unit)
  expect(await sshOutput(machine, 'slm-copilot clients llama-vscode')).toContain('"llama-vscode.endpoint"')
})

it('has them in a sandbox without a network', async () => {
  for (const unit of units)
    expect(
      Number(
        /level for \S+ (\d+\.\d)/.exec(
          await sshOutput(machine, `systemd-analyze security --no-pager ${unit} | tail -1`).then(text =>
            text.replace('exposure level', 'level'),
          ),
        )?.[1],
      ),
    ).toBeLessThan(1)
})

it('restarts nothing at a stage that changes nothing', async () => {
  const pids = () =>
    sshOutput(machine, `systemctl show --property=MainPID ${units.join(' ')} slm-copilot.service`)
  const before = await pids()
  await runStages()
  expect(await pids()).toBe(before)
})

it('heals one that is killed; chat does not notice', async () => {
  await sshOutput(machine, `systemctl kill --signal=KILL ${units[0]}`)
  expect(await chats()).toBe(true)
  await until(async () => (await fill()).status === 200)
})

it('says that one has hung, and heals it; chat does not notice', async () => {
  await sshOutput(machine, `systemctl kill --signal=STOP ${units[0]}`)
  const start = Date.now()
  const { stdout, code } = await ssh(machine, 'slm-copilot status')
  expect(stdout.replace(/\s+/g, ' ')).toMatch(/-completion\.service active since \S+, does not answer/)
  expect(code).toBe(0)
  expect(await chats()).toBe(true)
  await until(async () => (await fill()).status === 200)
  console.log(`completion, stopped by a signal: served again after ${(Date.now() - start) / 1000} s`)
})

it('serves chat if the model of one is damaged, and fetches it again', async () => {
  const model = '/opt/slm-copilot/models/infill.gguf'
  await sshOutput(
    machine,
    `cp --preserve=all ${model} /root/kept && truncate --size=1000 ${model} && systemctl kill --signal=KILL ${units[0]}`,
  )
  await runStages()
  expect(await chats()).toBe(true)
  // The changed file is no longer the verified one: it is downloaded again, and the service runs again.
  await until(async () => (await fill()).status === 200)
})

it('stops them when the context no longer asks for them', async () => {
  expect(await contextualize({ ONEAPP_COPILOT_COMPLETION: 'NO' })).toBe('bootstrap_success')
  expect(await states()).toEqual(['inactive', 'inactive', 'inactive'])
  expect(await sshOutput(machine, 'ls /etc/slm-copilot')).not.toMatch(/completion|embeddings|reranking/)
  expect(await chats()).toBe(true)
})

it('runs the completion model that is there by itself, and fetches nothing for it', async () => {
  expect(await contextualize({})).toBe('bootstrap_success')
  await until(async () => (await fill()).status === 200)
  expect(await states()).toEqual(['active', 'inactive', 'inactive'])
})
