/** Continue's core, as an editor runs it: chat, code completion, an index of the project, and a search in it. */
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

const [, , core] = process.argv
const { Core, FileSystemIde, InProcessMessenger } = require(core)

/** The editor: files on the disk, and nothing open. */
class Editor extends FileSystemIde {
  isTelemetryEnabled() {
    return Promise.resolve(false)
  }
}
const project = pathToFileURL(process.cwd()).href
const editor = new Editor(project)
const messenger = new InProcessMessenger()

const { promise: configured, resolve: hasConfiguration } = Promise.withResolvers()

/** What the core asks of an editor, or tells it. */
const answers = {
  getIdeInfo: () => editor.getIdeInfo(),
  getIdeSettings: async () => ({ ...(await editor.getIdeSettings()), pauseCodebaseIndexOnStart: true }),
  getControlPlaneSessionInfo: () => undefined,
  configUpdate: ({ data }) => {
    if (data.result.errors?.length > 0) console.error(data.result.errors)
    if (data.result.config !== undefined) hasConfiguration()
  },
  indexProgress: ({ data }) =>
    console.log(`index    ${Math.round(data.progress * 100)} % ${data.status}: ${data.desc}`),
}
for (const [name, answer] of Object.entries(answers)) messenger.externalOn(name, answer)

const ask = (name, data) => messenger.externalRequest(name, data)

async function chat(question) {
  let text = ''
  const messages = [{ role: 'user', content: question }]
  const stream = await ask('llm/streamChat', { title: 'SLM-Copilot', messages, completionOptions: {} })
  for await (const { content } of stream) text += content
  console.log(`chat     ${JSON.stringify(question)} -> ${JSON.stringify(text)}`)
}

async function complete(file) {
  const lines = readFileSync(file, 'utf8').split('\n')
  const line = lines.findIndex(one => one.includes('return'))
  const [completion] = await ask('autocomplete/complete', {
    completionId: 'one',
    isUntitledFile: false,
    filepath: pathToFileURL(join(process.cwd(), file)).href,
    pos: { line, character: lines[line].length },
    recentlyVisitedRanges: [],
    recentlyEditedRanges: [],
  })
  console.log(`complete ${file}:${line + 1} ${JSON.stringify(lines[line])} -> ${JSON.stringify(completion)}`)
}

async function search(query) {
  const items = await ask('context/getContextItems', {
    name: 'codebase',
    query,
    fullInput: query,
    selectedCode: [],
    selectedModelTitle: 'SLM-Copilot',
  })
  console.log(`search   ${JSON.stringify(query)} -> ${items.map(({ name }) => name).join(', ')}`)
}

async function main() {
  new Core(messenger, editor)
  await configured
  await chat('Say hello.')
  await complete('add.py')
  await ask('index/setPaused', false)
  await ask('index/forceReIndex', { shouldClearIndexes: true })
  await search('How are two numbers added?')
  process.exit(0)
}
main().catch(error => {
  console.error(error)
  process.exit(1)
})
