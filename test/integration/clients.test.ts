/** Clients from npm, each with exactly what `slm-copilot clients` prints, against the real nginx and llama-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAgent, someClients } from '../clients/clients.ts'
import { installedClients } from '../clients/install.ts'
import { shareReused } from '../clients/reuse.ts'
import {
  chat,
  firstPaste,
  loading,
  sessionsAroundCommit,
  sessionsOnTwoDays,
  stackContext,
  toolTurn,
  twoSessions,
  withTools,
  wrongKey,
} from '../clients/scenarios.ts'
import { type Stack, startStack } from './support/stack.ts'

let modules: string
let stack: Stack
beforeAll(async () => {
  modules = await installedClients('some')
  stack = await startStack(stackContext)
})
afterAll(() => stack?.close())

describe.each(someClients)('$name', client => {
  it('works with the printed settings', async () => {
    const outcome = await firstPaste({ client, stack, modules })
    expect(outcome.isAnswered, outcome.text).toBe(true)
  })

  it('shows that the key is wrong', async () => {
    const outcome = await wrongKey({ client, stack, modules })
    expect(outcome.text).toContain('Wrong or missing API key.')
    expect(outcome.requests[0]?.status).toBe(401)
  })

  it('waits while the model loads', async () => {
    const outcome = await loading({ client, stack, modules })
    expect(outcome.requests[0]?.status).toBe(503)
    expect(outcome.isAnswered, outcome.text).toBe(true)
  })

  it('lets the model use its tool, and answers; then only what is new in the prompt is computed', async () => {
    const answers: string[] = []
    const record = (answer: string) => answers.push(answer)
    const calling = await startStack(stackContext, { call: client.call, record })
    try {
      const outcome = await toolTurn({ client, stack: calling, modules })
      expect(outcome.hasMade, outcome.text).toBe(true)
      expect(outcome.isAnswered, outcome.text).toBe(true)
      // The SDKs' prompts are so short that the call and its result are a large part.
      expect(shareReused(answers)).toBeGreaterThan(isAgent(client) ? 0.95 : 0.5)
    } finally {
      await calling.close()
    }
  })
})

it.each(someClients.filter(isAgent))(
  '$name begins each session alike, so that the next one reuses its prompt',
  async client => {
    const answers: string[] = []
    const recorded = await startStack(stackContext, { ...withTools, record: answer => answers.push(answer) })
    try {
      await twoSessions({ client, stack: recorded, modules }, () => answers.splice(0))
      expect(shareReused(answers)).toBeGreaterThan(0.9)
    } finally {
      await recorded.close()
    }
  },
)

it.each([
  ['after a commit', sessionsAroundCommit],
  ['on the next day', sessionsOnTwoDays],
])('opencode, in a session %s, reuses the prompt', async (_, sessions) => {
  const client = someClients.find(({ name }) => name === 'opencode')
  if (client === undefined) throw new Error('opencode is not among the clients')
  const answers: string[] = []
  const recorded = await startStack(stackContext, { ...withTools, record: answer => answers.push(answer) })
  try {
    await sessions({ client, stack: recorded, modules }, () => answers.splice(0))
    expect(shareReused(answers)).toBeGreaterThan(0.9)
  } finally {
    await recorded.close()
  }
})

it.each(someClients.filter(client => client.chat))('$name gets an unstreamed answer', async client => {
  const outcome = await chat({ client, stack, modules })
  expect(outcome?.isAnswered, outcome?.text).toBe(true)
})
