/** The scenarios for each client: a first request, a tool call, a wrong key, a loading model, six silent minutes. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { clientConfigurations } from '../../lib/render/clients/clients.ts'
import type { Stack } from '../integration/support/stack.ts'
import { sentence } from '../mirror/sentence-model.ts'
import type { Client } from './clients.ts'
import { type Home, homeWith, type Screen } from './home.ts'
import { limitCpu } from './quota.ts'

/** Tokens of a conversation: more than any agent's first prompt has, and the long question too. */
const contextSize = 65_536
export const stackContext = { ONEAPP_COPILOT_CONTEXT_SIZE: String(contextSize) }

/** A client, the appliance it asks, and the folder that it is installed in. */
export type Trial = { client: Client; stack: Stack; modules: string }

/** A request for an answer, as nginx logged it. */
export type Request = { status: number; seconds: number }

export type Outcome = Screen & {
  requests: Request[]
  /** The answer stands on the screen, and the client ended well. */
  isAnswered: boolean
  /** The tool has done its work. */
  hasMade: boolean
}

const question = 'Say hello.'

/** What this client is told to paste for this stack; the key and the CA's path are filled in. */
function configurationOf({ client, stack }: Trial, key = stack.key) {
  const caFile = join(stack.root, 'clients-ca.crt')
  writeFileSync(caFile, stack.ca)
  const endpoint = new URL(stack.url).host
  const values = { endpoint, model: 'sentence', contextSize, key, caFile }
  const found = clientConfigurations(values).find(({ name }) => name === client.name)
  if (found === undefined) throw new Error(`there is no configuration of ${client.name}`)
  return found
}

/** Requests for an answer that have ended since this was called. One without a key has lost its path. */
function requestsAt({ stack }: Trial): () => Request[] {
  const read = () =>
    (existsSync(stack.accessLog) ? readFileSync(stack.accessLog, 'utf8') : '')
      .split('\n')
      .map(line => line.match(/"POST \/(?:v1\/|slm-copilot-denied).*" (\d{3}) \d+ ([\d.]+) s$/))
      .filter(match => match !== null)
      .map(([, status, seconds]) => ({ status: Number(status), seconds: Number(seconds) }))
  const before = read().length
  return () => read().slice(before)
}

/** A home with what is to be pasted, something done in it, and what came of that. */
async function inHome(trial: Trial, act: (home: Home) => Promise<Screen>, key?: string): Promise<Outcome> {
  const home = homeWith(configurationOf(trial, key), trial.modules)
  const requests = requestsAt(trial)
  try {
    const screen = await act(home)
    return {
      ...screen,
      requests: requests(),
      isAnswered: screen.code === 0 && screen.text.includes(sentence),
      hasMade: existsSync(join(home.project, 'made')),
    }
  } finally {
    home.remove()
  }
}

/** Runs the program as it is printed; an agent is asked. */
const pasted = ({ client, modules }: Trial, home: Home) =>
  (client.paste ?? client.ask)(home, modules, question)

export const firstPaste = (trial: Trial) => inHome(trial, home => pasted(trial, home))

/** An answer in one piece. Undefined where the client only streams. */
export const chat = async (trial: Trial): Promise<Outcome | undefined> => {
  const { client, modules } = trial
  return client.chat && inHome(trial, home => client.chat?.(home, modules, question) as Promise<Screen>)
}

/** The stack's model calls the client's tool, gets its result, and answers. */
export const toolTurn = (trial: Trial) =>
  inHome(trial, home => trial.client.ask(home, trial.modules, 'Make a file.'))

export const wrongKey = (trial: Trial) => inHome(trial, home => pasted(trial, home), 'a-key-of-nobodys')

/** llama-server is away when the client asks, and back once the client has met a 503. */
export const loading = (trial: Trial) =>
  inHome(trial, async home => {
    const requests = requestsAt(trial)
    await trial.stack.stopLlama()
    let hasEnded = false
    const asked = trial.client.ask(home, trial.modules, question).finally(() => {
      hasEnded = true
    })
    while (!hasEnded && !requests().some(({ status }) => status === 503)) await setTimeout(50)
    await trial.stack.startLlama()
    return asked
  })

/** Seconds of prompt processing, and those that a client may take until it asks. */
const silence = 360
const startUp = 20
/** Tokens that take more CPU time than a quota leaves in that time. */
const longQuestion = `${question} ${'a '.repeat(20_000)}`

/** llama-server computes the prompt for six minutes: comments come, and nothing else. */
export const slowPrompt = (trial: Trial) =>
  inHome(trial, async home => {
    const pid = trial.stack.llamaPid()
    if (pid === undefined) throw new Error('llama-server does not run')
    const release = limitCpu(pid)
    const asked = trial.client.ask(home, trial.modules, longQuestion, { limit: 2 * (silence + startUp) })
    await Promise.race([asked, setTimeout((silence + startUp) * 1000)])
    await release()
    return asked
  })
