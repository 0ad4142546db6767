/** A killed build leaves no process, and the next one removes its files. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'

const cache = mkdtempSync(join(tmpdir(), 'progress-'))
afterAll(() => rmSync(cache, { recursive: true }))

const source = (name: string) => join(import.meta.dirname, '..', '..', '..', 'packer', 'build', name)

/** A program that runs this command in a folder for temporary files. */
const build = (command: string) => [
  '--input-type=module',
  '--eval',
  `import { withTemporaryFolder } from '${source('cache.ts')}'
import { runLogged } from '${source('progress.ts')}'
await withTemporaryFolder('large', cwd => runLogged('test', ['sh', '-c', ${JSON.stringify(command)}], { cwd }))`,
]
const env = { ...process.env, SLM_COPILOT_CACHE: cache }

const temporaryFolders = () => globSync('.*-large', { cwd: cache })
const pidFile = () => globSync('.*-large/pid', { cwd: cache }).map(name => join(cache, name))[0]

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(20)
}

it.each(['SIGKILL', 'SIGTERM'] as const)('%s', { timeout: 120_000 }, async signal => {
  const killed = spawn(process.execPath, build('echo $$ > new && mv new pid && exec sleep 600'), { env })
  await until(() => pidFile() !== undefined)
  const pid = readFileSync(pidFile() ?? '', 'utf8').trim()
  killed.kill(signal)
  await once(killed, 'exit')
  await until(() => !existsSync(`/proc/${pid}`))

  expect(temporaryFolders()).toHaveLength(1)
  execFileSync(process.execPath, build('true'), { env })
  expect(temporaryFolders()).toEqual([])
})
