/** `make test-clients`: runs all clients, or the named ones, and prints a table. Needs root for the CPU quota. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from '../../packer/build/cache.ts'
import { script, step } from '../../packer/build/progress.ts'
import { type Options, type Stack, startStack } from '../integration/support/stack.ts'
import { allClients, type Client, isAgent } from './clients.ts'
import { installedClients } from './install.ts'
import { shareReused } from './reuse.ts'
import {
  chat,
  firstPaste,
  loading,
  sessionsAroundCommit,
  sessionsOnTwoDays,
  slowPrompt,
  stackContext,
  type TrialOutcome,
  toolTurn,
  twoSessions,
  withTools,
  wrongKey,
} from './scenarios.ts'
import { type ClientRow, isGood, refusal, type SessionShares, table } from './table.ts'

async function withStack<T>(options: Options, use: (stack: Stack) => Promise<T>): Promise<T> {
  const stack = await startStack(stackContext, options)
  return use(stack).finally(stack.close)
}

const versionOf = (client: Client, modules: string): string =>
  JSON.parse(readFileSync(join(modules, 'node_modules', client.package, 'package.json'), 'utf8')).version

/** Runs the quick scenarios one after the other. */
async function quickTrials(client: Client, modules: string): Promise<ClientRow> {
  const plain = await withStack({}, async stack => {
    const trial = { client, stack, modules }
    return {
      firstPaste: await firstPaste(trial),
      chat: await chat(trial),
      loading: await loading(trial),
      wrongKey: await wrongKey(trial),
    }
  })
  const answers: string[] = []
  const record = (answer: string) => answers.push(answer)
  const calling = await withStack({ call: client.call, record }, stack =>
    toolTurn({ client, stack, modules }),
  )
  // A library's session is its program.
  const session = isAgent(client) ? await sharesOfSessions(client, modules) : undefined
  const reused = { next: shareReused(answers), session }
  return { name: client.name, version: versionOf(client, modules), ...plain, toolTurn: calling, reused }
}

/** Shares of the first prompt of a second session. */
async function sharesOfSessions(client: Client, modules: string): Promise<SessionShares> {
  const shareOf = async (sessions: typeof twoSessions) => {
    const answers: string[] = []
    await withStack({ ...withTools, record: answer => answers.push(answer) }, stack =>
      sessions({ client, stack, modules }, () => answers.splice(0)),
    )
    return shareReused(answers)
  }
  return {
    next: await shareOf(twoSessions),
    commit: await shareOf(sessionsAroundCommit),
    day: await shareOf(sessionsOnTwoDays),
  }
}

/** Saves the output of each run in a file of its own. */
function keepScreens(rows: ClientRow[]): string {
  const folder = join(cacheFolder, 'logs', 'clients')
  mkdirSync(folder, { recursive: true })
  for (const { name, version: _, reused: __, ...outcomes } of rows)
    for (const [scenario, outcome] of Object.entries(outcomes) as [string, TrialOutcome | undefined][])
      if (outcome !== undefined) writeFileSync(join(folder, `${name}-${scenario}.txt`), outcome.text)
  return folder
}

// An exit handler kills what clients leave behind; signals would skip it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

// Each of the concurrent programs registers an exit handler.
process.setMaxListeners(100)

await script(async () => {
  const names = process.argv.slice(2)
  const clients = allClients.filter(({ name }) => names.length === 0 || names.includes(name))
  const modules = await installedClients('all')

  const slow = step('six minutes of prompt processing, side by side', () =>
    Promise.all(clients.map(client => withStack({}, async stack => slowPrompt({ client, stack, modules })))),
  )
  const rows: ClientRow[] = []
  for (const client of clients) rows.push(await step(client.name, () => quickTrials(client, modules)))
  const slowOutcomes = await slow
  const whole = rows.map((row, index): ClientRow => {
    const slowPrompt = slowOutcomes[index]
    return slowPrompt === undefined ? row : { ...row, slowPrompt }
  })

  console.log(`\n${table(whole)}\n\nWhat users see with a wrong key:`)
  for (const row of whole) console.log(`  ${row.name.padEnd(12)} ${refusal(row.wrongKey) ?? 'NOTHING'}`)
  console.log(`Output of each run: ${keepScreens(whole)}`)
  const bad = whole.filter(row => !isGood(row)).map(({ name }) => name)
  if (bad.length > 0) throw new Error(`failed: ${bad.join(', ')}`)
})
