/** The scenarios for each client: a first request, a tool call, a wrong key, a loading model, a very slow prompt. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parseRequest } from '../../lib/appliance/usage/requests.ts'
import { clientConfigurations } from '../../lib/render/clients/clients.ts'
import type { Stack } from '../integration/support/stack.ts'
import { sentence } from '../mirror/sentence-model.ts'
import type { Client } from './clients.ts'
import { type Home, homeWith, type Screen } from './home.ts'
import { limitCpu } from './quota.ts'

/** In tokens: room for any agent's first prompt together with the long question. */
const contextSize = 65_536
export const stackContext = { ONEAPP_COPILOT_CONTEXT_SIZE: String(contextSize) }

/** With Devstral's template, which puts the tools after the instructions: where those differ, the tools are not reused. */
export const withTools = { model: { template: 'devstral' } } as const

/** A client, the appliance that it uses, and the folder in which it is installed. */
export type Trial = { client: Client; stack: Stack; modules: string }

/** A request, as logged by nginx. */
export type Request = { status: number; seconds: number }

export type TrialOutcome = Screen & {
  requests: Request[]
  /** The client has printed the answer, and exited successfully. */
  isAnswered: boolean
  /** The tool has created its file. */
  hasMade: boolean
}

const question = 'Say hello.'

/** The printed settings of the client for this stack, with the key and the CA's path filled in. */
function configurationOf({ client, stack }: Trial, key = stack.key) {
  const caFile = join(stack.root, 'clients-ca.crt')
  writeFileSync(caFile, stack.ca)
  const endpoint = new URL(stack.url).host
  const values = { endpoint, model: 'sentence', contextSize, thoughts: 0, companions: {}, key, caFile }
  const found = clientConfigurations(values).find(({ name }) => name === client.name)
  if (found === undefined) throw new Error(`there is no configuration of ${client.name}`)
  return found
}

/** Returns a function that lists the requests to the API logged since, apart from those for the list of models. */
function requestsAt({ stack }: Trial): () => Request[] {
  const read = () =>
    (existsSync(stack.accessLog) ? readFileSync(stack.accessLog, 'utf8') : '')
      .split('\n')
      .map(parseRequest)
      .filter(request => request?.method === 'POST' && request.path.startsWith('/v1/'))
      .flatMap(request => (request ? [{ status: request.status, seconds: request.total }] : []))
  const before = read().length
  return () => read().slice(before)
}

/** Waits up to five seconds for the first: a refusal is logged once its connection has ended, perhaps after its client. */
async function untilLogged(requests: () => Request[]): Promise<Request[]> {
  for (let left = 50; left > 0 && requests().length === 0; left -= 1) await setTimeout(100)
  return requests()
}

/** Pastes the settings into a new home, acts in it, and collects the outcome. */
async function inHome(
  trial: Trial,
  act: (home: Home) => Promise<Screen>,
  key?: string,
): Promise<TrialOutcome> {
  const home = homeWith(configurationOf(trial, key), trial.modules)
  const requests = requestsAt(trial)
  try {
    const screen = await act(home)
    return {
      ...screen,
      requests: await untilLogged(requests),
      isAnswered: screen.code === 0 && screen.text.includes(sentence),
      hasMade: existsSync(join(home.project, 'made')),
    }
  } finally {
    home.remove()
  }
}

/** Runs the printed program as it is; asks an agent. */
const pasted = ({ client, modules }: Trial, home: Home) =>
  (client.paste ?? client.ask)(home, modules, question)

export const firstPaste = (trial: Trial) => inHome(trial, home => pasted(trial, home))

/** An answer that is not streamed; undefined if the client always streams. */
export const chat = async (trial: Trial): Promise<TrialOutcome | undefined> => {
  const { client, modules } = trial
  return client.chat && inHome(trial, home => client.chat?.(home, modules, question) as Promise<Screen>)
}

/** The stack's model calls the client's tool, gets its result, and answers. */
export const toolTurn = (trial: Trial) =>
  inHome(trial, home => trial.client.ask(home, trial.modules, 'Make a file.'))

/** The same question in two sessions, one after the other, in the same folder. `between`: called before the second one. */
export const twoSessions = (trial: Trial, between: () => void) =>
  inHome(trial, async home => {
    const ask = () => trial.client.ask(home, trial.modules, question)
    await ask()
    between()
    return ask()
  })

/** The same question in two sessions in a repository, where between them something is committed, and a file added. */
export const sessionsAroundCommit = (trial: Trial, between: () => void) =>
  inHome(trial, async home => {
    const ask = () => trial.client.ask(home, trial.modules, question)
    const commit = (text: string) => {
      writeFileSync(join(home.project, 'file'), text)
      const author = ['-c', 'user.name=x', '-c', 'user.email=x@example.com']
      for (const args of [
        ['init', '--quiet'],
        ['add', 'file'],
        [...author, 'commit', '--quiet', '--message', text],
      ])
        execFileSync('git', args, { cwd: home.project })
    }
    commit('one')
    await ask()
    between()
    commit('two')
    writeFileSync(join(home.project, 'new'), '')
    return ask()
  })

/**
 * The same question in two sessions, the second on a later day: for clients that read the local date by the time zone (26
 * hours lie between these two), for those on Node.js by the clock, since `cn` reads the date of UTC.
 */
export const sessionsOnTwoDays = (trial: Trial, between: () => void) =>
  inHome(trial, async home => {
    const ask = (variables: Record<string, string>) =>
      trial.client.ask(home, trial.modules, question, { variables })
    await ask({ TZ: 'Etc/GMT+12' })
    between()
    const clock = join(import.meta.dirname, 'programs/tomorrow.mjs')
    return ask({ TZ: 'Etc/GMT-14', NODE_OPTIONS: `--import=${clock}` })
  })

export const wrongKey = (trial: Trial) => inHome(trial, home => pasted(trial, home), 'a-key-of-nobodys')

/** llama-server is down when the client asks, and starts after the client has got a 503. */
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

/** Seconds of prompt processing, and seconds until a client has started and sent its request. */
const silence = 360
const startUp = 20
/** Needs more CPU time than the quota permits in that time. */
const longQuestion = `${question} ${'a '.repeat(20_000)}`

/** llama-server computes the prompt for six minutes, and sends nothing but comments. */
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
