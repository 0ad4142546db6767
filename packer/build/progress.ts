/** Progress of long steps: what is running, its last line of output, its duration, and on failure its log's end. */
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'

const secondsSince = (start: number) => `${Math.round((Date.now() - start) / 1000)} s`

/** Announces a step, runs it, and prints how long it took. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now()
  console.log(`==> ${title}`)
  const result = await work()
  console.log(`    ${title}: done in ${secondsSince(start)}`)
  return result
}

/** `whenKilled`: the signal for the command when this process is killed and could not end it. */
type LoggedRunOptions = {
  cwd?: string
  env?: Record<string, string>
  input?: string
  show?: RegExp
  whenKilled?: 'KILL' | 'TERM'
}

/**
 * Runs a command with its output in `<cache>/logs/<name>.log`, and every 10 seconds prints the last line of it
 * (with `show`, the last that matches). Rejects with the end of the log when the command fails.
 */
export async function runLogged(
  name: string,
  command: string[],
  options: LoggedRunOptions = {},
): Promise<void> {
  const logs = join(cacheFolder, 'logs')
  mkdirSync(logs, { recursive: true })
  const path = join(logs, `${name}.log`)
  const log = createWriteStream(path)
  const start = Date.now()
  let last = ''

  // What outlives a killed build works on files that the next one removes.
  const child = spawn('setpriv', [`--pdeathsig=${options.whenKilled ?? 'KILL'}`, ...command], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.end(options.input)
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      log.write(chunk)
      const lines = chunk.toString().split(/[\r\n]+/)
      last = lines.filter(line => line.trim() && (options.show?.test(line) ?? true)).at(-1) ?? last
    })
  const ticker = setInterval(
    () => console.log(`    ${secondsSince(start).padStart(5)}  ${last.slice(0, 68)}`),
    10_000,
  )
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => clearInterval(ticker))
  await new Promise<void>(resolve => log.end(resolve))
  if (code !== 0) {
    const end = readFileSync(path, 'utf8').split('\n').slice(-25).join('\n')
    throw new Error(
      `${command[0]} failed (${code}) after ${secondsSince(start)}. The end of ${path}:\n${end}`,
    )
  }
}

/** Runs a script's body; a failure is printed without a stack trace, and the exit code is 1. */
export async function script(body: () => Promise<void>): Promise<void> {
  try {
    await body()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
