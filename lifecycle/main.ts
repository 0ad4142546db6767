/** The executable's entry: argv, environment, exit code; the one place that prints errors. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { paths } from '../lib/appliance/paths.ts'
import type { HostOptions } from '../lib/system/host.ts'
import packageFile from '../package.json' with { type: 'json' }
import { type Command, commands, overview, usageOf } from './commands.ts'

class UsageError extends Error {}

/** The command and its arguments: by the name that the executable was called by, or the first argument. */
export function chooseCommand(calledAs: string, args: string[]): { name: string; rest: string[] } {
  const called = basename(calledAs)
  if (commands[called]?.isStage) return { name: called, rest: args }
  const [name = '--help', ...rest] = args
  return { name, rest }
}

function parseOptions(name: string, { options, argument: taken }: Command, args: string[]) {
  const known = Object.entries({ ...options, help: {} }).map(
    ([option, { argument }]: [string, { argument?: string }]) =>
      [option, { type: argument === undefined ? ('boolean' as const) : ('string' as const) }] as const,
  )
  try {
    const allowPositionals = taken !== undefined
    const parsed = parseArgs({ args, options: Object.fromEntries(known), strict: true, allowPositionals })
    const [argument, ...more] = parsed.positionals
    if (more.length > 0) throw new Error(`takes one ${taken}, got ${parsed.positionals.length}`)
    return { values: parsed.values, argument }
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. See: slm-copilot ${name} --help`)
  }
}

/** The context: the process's environment, or the lines of a file in its place. */
async function environmentFrom(file: unknown): Promise<HostOptions['env']> {
  if (typeof file !== 'string') return process.env
  const { parseEnvironment } = await import('./environment.ts')
  return parseEnvironment(readFileSync(file, 'utf8'))
}

async function runCommand(name: string, rest: string[]): Promise<void> {
  const command = commands[name]
  if (command === undefined) throw new UsageError(`there is no command "${name}". See: slm-copilot --help`)
  const { values, argument } = parseOptions(name, command, rest)
  if (values.help) {
    process.stdout.write(usageOf(name, command))
    return
  }
  const { root, 'dry-run': dryRun } = values
  const isLive = root === undefined && !dryRun
  if (command.isStage && isLive && process.getuid?.() !== 0)
    throw new UsageError('a stage changes the machine: run it as root')
  const options = {
    env: await environmentFrom(values['env-file']),
    root: typeof root === 'string' ? root : undefined,
    dryRun: dryRun === true,
    ...(command.isStage && { log: paths.log }),
  }
  if ((await command.run(values, options, argument)) === false) process.exitCode = 1
}

/** Prints an error once: to the log, and so to standard output, for a stage; to standard error else. */
async function tell(name: string, isStage: boolean, error: unknown): Promise<void> {
  const message = `slm-copilot ${name}: ${error instanceof Error ? error.message : String(error)}`
  if (!isStage || error instanceof UsageError) {
    process.stderr.write(`${message}\n`)
    return
  }
  const { openLog } = await import('../lib/system/log.ts')
  openLog(() => new Date(), process.getuid?.() === 0 ? paths.log : undefined).error(message)
}

async function main(): Promise<void> {
  // The framework's is 0077: folders on the way to what others read, and packages installed, would be root's alone.
  process.umask(0o022)
  const { name, rest } = chooseCommand(process.argv0, process.argv.slice(2))
  if (name === '--version') process.stdout.write(`${packageFile.version}\n`)
  else if (name === '--help') process.stdout.write(overview())
  else
    await runCommand(name, rest).catch(async error => {
      await tell(
        name,
        commands[name]?.isStage === true && !rest.includes('--root') && !rest.includes('--dry-run'),
        error,
      )
      process.exitCode = error instanceof UsageError ? 2 : 1
    })
}

void main()
