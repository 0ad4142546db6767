/** Each fault of faults.ts in a container: it keeps serving or says why; the next run converges, and nothing is lost. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readAccess } from './access.ts'
import { ask } from './client.ts'
import { changeContext, expectNothingToDo } from './context.ts'
import { type Fault, faults, helpers } from './faults.ts'
import type { Machine } from './machine.ts'
import { contextualizeNow } from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

let machine: Machine
let kept: string[]
const key = 'key-of-the-tester-1'

beforeAll(async () => {
  machine = await readyContainer()
  await changeContext(machine, { ONEAPP_COPILOT_KEYS: `tester=${key}` })
  expect(await contextualizeNow(machine)).toBe('bootstrap_success')
  kept = await keepsakes()
})

const run = async (command: string) =>
  (await ssh(machine, `exec 2>&1; ${helpers}\n${command}`)).stdout.replaceAll(/^.*\[INFO\].*\n/gm, '')

/** What no fault may lose: the CA that developers trust, the current one or its predecessor, and the models. */
const keepsakes = async () => {
  const digests = await sshOutput(
    machine,
    'cd /etc/ssl/slm-copilot; sha256sum ca.key previous-ca.key 2> /dev/null; sha256sum /opt/slm-copilot/models/*.gguf',
  )
  return digests.split('\n').map(line => line.slice(0, 64))
}

const question = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }
const headers = { authorization: `Bearer ${key}` }
/** With the CA as it is now: a domain or an address that the present one must not certify brings another. */
const generates = async () =>
  ask(await readAccess(machine), '/v1/chat/completions', { json: question, headers, timeout: 30 }).then(
    ({ status }) => status === 200,
    () => false,
  )

/** Waits until a completion succeeds. */
async function untilGenerating(): Promise<void> {
  const start = Date.now()
  while (!(await generates())) {
    if (Date.now() - start > 180_000) throw new Error(`it does not serve: ${await run('slm-copilot status')}`)
    await sleep(200)
  }
}

const table: string[] = []
afterAll(() => console.log(`fault | what happened | seconds to serve again\n${table.join('\n')}`))

/** Causes the fault, and has it undone; returns whether it served meanwhile. Throws if it neither did nor said why. */
async function suffer({ what, cause, meanwhile, undo }: Fault): Promise<boolean> {
  try {
    const said = await run(cause)
    const serves = await generates()
    if (meanwhile === 'serves') expect(serves, `${what}: ${said}`).toBe(true)
    else expect(said).toMatch(meanwhile)
    return serves
  } finally {
    if (undo !== undefined) await run(undo)
  }
}

it.each(faults)('$what: $promise', async fault => {
  const serves = await suffer(fault)
  const start = Date.now()
  if (!fault.heals) expect(await run('stages; grep -h ERROR /tmp/stages')).toBe('bootstrap_success\n')
  await untilGenerating()
  const seconds = serves ? 'served throughout' : ((Date.now() - start) / 1000).toFixed(1)
  table.push(`${fault.what} | ${fault.promise} | ${seconds}`)
  expect(await keepsakes()).toEqual(expect.arrayContaining(kept))
})

it('afterwards nothing differs from what the context asks for', async () => {
  expect(await run('stages')).toBe('bootstrap_success\n')
  await expectNothingToDo(machine)
})
