/** Clients of the services beside chat, with exactly what is printed: LangChain's embeddings, Continue if it is installed. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseRequest } from '../../lib/appliance/usage/requests.ts'
import { clientConfigurations } from '../../lib/render/clients/clients.ts'
import { runContinue, transcriptOf } from '../clients/continue.ts'
import { homeWith } from '../clients/home.ts'
import { installedClients } from '../clients/install.ts'
import { vectorLength } from '../mirror/embedding-model.ts'
import { gapText } from '../mirror/infill-model.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type Stack, startStack } from './support/stack.ts'

/** Continue writes the tokens around a gap by the family that the model's name says. */
const names = { completion: 'qwen2.5-coder-gaps', embeddings: 'vectors', reranking: 'ranker' }

let stack: Stack
beforeAll(async () => {
  stack = await startStack(
    { ONEAPP_COPILOT_EMBEDDINGS: 'vectors ranker' },
    { companions: Object.values(names) },
  )
})
afterAll(() => stack?.close())

function configurationOf(client: string, key = stack.key) {
  const caFile = join(stack.root, 'clients-ca.crt')
  writeFileSync(caFile, stack.ca)
  const found = clientConfigurations({
    endpoint: new URL(stack.url).host,
    model: 'sentence',
    contextSize: 4096,
    thoughts: 0,
    companions: { ...names, embeddings: { name: names.embeddings, queryPrefix: 'Query: ' } },
    key,
    caFile,
  }).find(({ name }) => name === client)
  if (found === undefined) throw new Error(`there is no configuration of ${client}`)
  return found
}

/** Runs LangChain's printed program, with its only document replaced by these. */
async function langChain(documents: string, key?: string) {
  const home = homeWith(configurationOf('langchain', key), await installedClients('some'))
  try {
    const printed = '["def add(a, b): ..."]'
    expect(home.program).toContain(printed)
    writeFileSync(join(home.project, 'search.mjs'), home.program.replace(printed, documents))
    return await home.run([process.execPath, 'search.mjs'])
  } finally {
    home.remove()
  }
}

it.each([
  ['one document', '["def add(a, b): ..."]'],
  ['more than a batch', 'Array.from({ length: 130 }, (_, index) => "piece " + index)'],
])('LangChain embeds %s, and a query', async (_, documents) => {
  const { code, text } = await langChain(documents)
  expect({ code, text: text.trim() }).toEqual({ code: 0, text: `${vectorLength} ${vectorLength}` })
})

it.each([
  ['that a text is too long', '["word ".repeat(4000)]', undefined, /takes 2048 at most: split longer texts/],
  ['that the key is wrong', '["a"]', 'a-key-of-nobodys', /Wrong or missing API key/],
])('LangChain shows %s', async (_, documents, key, message) => {
  const { code, text } = await langChain(documents, key)
  expect(code).toBe(1)
  expect(text).toMatch(message)
})

it.each([
  ['a conversation', 60_000],
  ['a request body', 300_000],
])('LangChain recognises %s that is too long', async (_, words) => {
  const home = homeWith(configurationOf('langchain'), await installedClients('some'))
  try {
    const program = `import { ChatOpenAI } from "@langchain/openai"
const configuration = { baseURL: ${JSON.stringify(`${stack.url}/v1`)} }
const chat = new ChatOpenAI({ model: "sentence", apiKey: ${JSON.stringify(stack.key)}, configuration, maxRetries: 0 })
await chat.invoke("word ".repeat(${words})).catch(error => console.log(error.name))`
    writeFileSync(join(home.project, 'chat.mjs'), program)
    expect((await home.run([process.execPath, 'chat.mjs'])).text.trim()).toBe('ContextOverflowError')
  } finally {
    home.remove()
  }
})

/** The requests since the log had this many lines, as `POST /v1/embeddings 200`. */
const requestsSince = (lines: number) =>
  readFileSync(stack.accessLog, 'utf8')
    .split('\n')
    .slice(lines)
    .map(parseRequest)
    .flatMap(request => (request === undefined ? [] : [`${request.path} ${request.status}`]))

/** Its core has 450 packages: with `make test-clients`, which installs all clients, and `ALL_CLIENTS=1 vitest …`. */
it.runIf(process.env.ALL_CLIENTS === '1')(
  'Continue chats, completes, indexes a project and searches it',
  async () => {
    const before = readFileSync(stack.accessLog, 'utf8').split('\n').length - 1
    const run = await runContinue(configurationOf('continue'), await installedClients('all'))
    const [transcript, requests] = [transcriptOf(run), requestsSince(before)]
    console.log([...transcript, ...requests].join('\n'))
    expect({ cli: run.cli.code, core: run.core.code }, run.core.text).toEqual({ cli: 0, core: 0 })
    expect(transcript[0]).toContain(sentence)
    expect(transcript).toContain(`chat     "Say hello." -> ${JSON.stringify(sentence)}`)
    expect(transcript).toContain(`complete add.py:2 "    return" -> ${JSON.stringify(gapText)}`)
    expect(transcript).toContain('index    100 % done: Indexing Complete')
    expect(transcript.at(-1)).toMatch(/^search .*add\.py/)
    // The project's pieces, and what is searched for.
    expect(requests.filter(request => request === '/v1/embeddings 200')).toHaveLength(2)
    expect(requests).toContain('/v1/completions 200')
  },
)
