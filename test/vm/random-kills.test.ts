/**
 * All processes at once are killed at random moments: of a first boot, of a change of the context, of a model's download
 * and of the change to it, and of the boots that follow. Afterwards it serves; nothing is lost, and nothing is left to do.
 * KILL_SEED repeats a run; KILLS is how many there are of each kind.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { seededRandom } from '../integration/support/seeded-random.ts'
import { startSlowServer } from '../mirror/slow-server.ts'
import { toolModel } from '../mirror/tool-model.ts'
import { readAccess } from './access.ts'
import { ask, untilModelServes } from './client.ts'
import { killAndBoot } from './container.ts'
import { changeContext, expectNothingToDo } from './context.ts'
import { hostSeenByGuest, type Machine } from './machine.ts'
import { contextualizeNow, waitForContextualization } from './ready.ts'
import { readyContainer, startedContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)
const kills = Number(process.env.KILLS ?? 2)
const random = seededRandom(seed)
/** Half of them at the boots that follow. */
const rounds = Array.from({ length: Math.ceil(kills / 2) }, (_, index) => index + 1)

/** Seconds that what is interrupted takes on a quiet machine. */
const durations = { firstBoot: 10, boot: 8, stages: 5, verification: 4 }

const table: string[] = []
afterAll(() => console.log(`Seed ${seed}\nkilled during | seconds to serve again\n${table.join('\n')}`))

/** Waits for at most so many seconds, and kills everything; returns when that was. */
async function killWithin(machine: Machine, seconds: number): Promise<string> {
  const moment = random(seconds * 1000)
  await sleep(moment)
  await killAndBoot(machine)
  return `${(moment / 1000).toFixed(1)} s`
}

const question = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }

/**
 * A change of model that was interrupted is made again at once, and a download that is complete begins one: llama-server is
 * restarted, clients get 503 meanwhile, and status gives that as its reason.
 */
const untilChanged = { timeout: 60_000, interval: 500 }
const whileRestarted =
  /^(llama-server was stopped at|slm-copilot.service is not running|The model is loading|nginx.service answered 503)/

/** Kills what has begun, then the boot after it, and expects the boot after that to serve. */
async function expectToSurvive(machine: Machine, what: string, seconds: number): Promise<void> {
  const moments = [await killWithin(machine, seconds), await killWithin(machine, durations.boot)]
  const start = Date.now()
  const { status, lastLine } = await waitForContextualization(machine)
  expect(status, lastLine).toBe('bootstrap_success')
  const access = await readAccess(machine)
  const generates = async () => (await ask(access, '/v1/chat/completions', { json: question })).status
  await expect.poll(generates, untilChanged).toBe(200)
  table.push(
    `${what}, after ${moments[0]}; the boot after it, after ${moments[1]} | ${((Date.now() - start) / 1000).toFixed(1)}`,
  )
  const problems: string[] = []
  const isServing = async () => {
    const seen = JSON.parse((await ssh(machine, 'slm-copilot status --json')).stdout)
    if (!seen.isServing) problems.push(seen.problem)
    return seen.isServing
  }
  await expect.poll(isServing, untilChanged).toBe(true)
  for (const problem of problems) expect(problem).toMatch(whileRestarted)
}

it.each(rounds)('a first boot, round %i', async () => {
  const machine = await startedContainer('random-kills')
  await expectToSurvive(machine, 'the first boot', durations.firstBoot)
  await expectNothingToDo(machine)
})

it.each(rounds)('a change of password, keys, context size and name, round %i', async round => {
  const machine = await readyContainer('random-kills')
  const password = `password-of-round-${round}`
  await changeContext(machine, {
    ONEAPP_COPILOT_PASSWORD: password,
    ONEAPP_COPILOT_KEYS: 'alice=alices-own-key-0123',
    ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
    SET_HOSTNAME: 'another-name',
  })
  await expectToSurvive(machine, 'a change of the context', durations.stages)
  await expectNothingToDo(machine)
  expect(readFileSync((await readAccess(machine)).key, 'utf8')).toBe(`${password}\n`)
})

it.each(rounds)('a model’s download, and the change to it, round %i', async () => {
  const machine = await readyContainer('random-kills')
  const caller = readFileSync(await toolModel())
  const server = await startSlowServer({ '/caller.gguf': caller }, 1_000_000)
  try {
    await changeContext(machine, {
      ONEAPP_COPILOT_MODEL: 'caller',
      ONEAPP_COPILOT_MODEL_MIRROR: `http://${hostSeenByGuest}:${server.port}`,
    })
    expect(await contextualizeNow(machine)).toBe('bootstrap_success')
    await expectToSurvive(machine, 'a download', durations.stages)

    server.setSpeed(10_000_000)
    const verifying = `grep -q 'caller is downloaded: verifying' ${paths.log}`
    await sshOutput(machine, `until ${verifying}; do sleep 0.1; done`)
    await expectToSurvive(machine, 'the change to the model', durations.verification)
    await untilModelServes(machine, 'caller')
    await expectNothingToDo(machine)
    expect(JSON.parse((await ask(await readAccess(machine), '/v1/models')).body).data[0].id).toBe('caller')
    // Continued, not begun again.
    expect(server.sent()).toBeLessThan(2 * caller.length)
  } finally {
    await server.close()
  }
})
