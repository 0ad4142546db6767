/** An answer that is streamed for minutes, while something is done to the machine. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { eventsOf } from '../../lib/steps/services/smoke-test.ts'
import { openStream } from '../integration/support/streams.ts'
import { readAccess } from './access.ts'
import type { Machine } from './machine.ts'
import { sshOutput } from './ssh.ts'

export type LongAnswer = {
  /** How many tokens it will have. */
  asked: number
  /** How many events have arrived. */
  received(): number
  hasEnded(): boolean
  /** Waits for another event. If there is none, since the answer has ended, it must be complete. */
  untilMore(): Promise<void>
  /** Waits for its end, which must be that of a complete answer. */
  untilComplete(): Promise<void>
}

/** As many tokens as are measured to fit: the test models are small, and so is their context window. */
const [few, most] = [32, 28_000]

/** Begins an answer that takes about so many seconds on this machine as it is now. */
export async function beginLongAnswer(machine: Machine, seconds: number): Promise<LongAnswer> {
  const { endpoint, ca } = await readAccess(machine)
  const key = (await sshOutput(machine, `cat ${paths.password}`)).trim()
  const open = (count: number) =>
    openStream({
      edge: { url: endpoint, ca: readFileSync(ca, 'utf8') },
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      json: {
        ...{ messages: [{ role: 'user', content: 'Hi' }], stream: true },
        ...{ ignore_eos: true, max_tokens: count },
      },
    })
  const start = Date.now()
  const first = await open(few)
  expect([first.status, await first.ended]).toEqual([200, true])
  const asked = Math.min(most, Math.ceil((seconds * 1000 * few) / (Date.now() - start)))
  const stream = await open(asked)
  const received = () => eventsOf(stream.text()).length
  let hasEnded = false
  const untilComplete = async () => {
    expect(await stream.ended, `the answer was cut off: ${stream.text().slice(-300)}`).toBe(true)
    const events = eventsOf(stream.text())
    expect(events.at(-1)).toBe('[DONE]')
    expect(JSON.parse(events.at(-2) ?? '').choices[0].finish_reason).toBe('length')
  }
  void stream.ended.then(() => {
    hasEnded = true
  })
  return {
    asked,
    received,
    hasEnded: () => hasEnded,
    async untilMore() {
      const before = received()
      await stream.until(text => eventsOf(text).length > before).catch(untilComplete)
    },
    untilComplete,
  }
}
