/** Clients from npm, each with exactly what `slm-copilot clients` prints, against the real nginx and llama-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { someClients } from '../clients/clients.ts'
import { installedClients } from '../clients/install.ts'
import { chat, firstPaste, loading, stackContext, toolTurn, wrongKey } from '../clients/scenarios.ts'
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

  it('lets the model use its tool, and answers', async () => {
    const calling = await startStack(stackContext, { call: client.call })
    try {
      const outcome = await toolTurn({ client, stack: calling, modules })
      expect(outcome.hasMade, outcome.text).toBe(true)
      expect(outcome.isAnswered, outcome.text).toBe(true)
    } finally {
      await calling.close()
    }
  })
})

it.each(someClients.filter(client => client.chat))('$name gets an unstreamed answer', async client => {
  const outcome = await chat({ client, stack, modules })
  expect(outcome?.isAnswered, outcome?.text).toBe(true)
})
