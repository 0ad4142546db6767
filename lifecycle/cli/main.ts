/** From the command line to the exit code; the only place that prints errors. */
import { paths } from '../../lib/appliance/paths.ts'
import { print, printError } from '../../lib/system/plain-text.ts'
import packageFile from '../../package.json' with { type: 'json' }
import { type CommandLine, type OptionValues, parseCommandLine } from './command-line.ts'
import type { Command } from './commands/command.ts'
import { type CommandName, commands } from './commands.ts'
import { guardOutput } from './output.ts'
import { overview, usageOf } from './usage.ts'
import { isUsageError, UsageError } from './usage-error.ts'

/** Runs the command line and returns the exit code. */
export async function main(calledAs: string, args: string[]): Promise<number> {
  try {
    const line = parseCommandLine(calledAs, args, process.cwd())
    const isStage = line.kind === 'run' && isLiveStage(line)
    guardOutput({ isStage }, process)
    if (line.kind === 'run') return await runCommand(line)
    print(textOf(line))
    return 0
  } catch (error) {
    printError((error as Error).message)
    return isUsageError(error) ? 2 : 1
  }
}

/** Output that requires no command to run: version and help. */
function textOf(line: Exclude<CommandLine, { kind: 'run' }>): string {
  if (line.kind === 'version') return `${packageFile.version}\n`
  return line.kind === 'overview' ? overview() : usageOf(line.name, commands[line.name])
}

type RunLine = Extract<CommandLine, { kind: 'run' }>

const isLive = ({ root, 'dry-run': dryRun }: OptionValues) => root === undefined && dryRun === undefined
const commandAt = (name: CommandName): Command => commands[name]
const isLiveStage = ({ name, values }: RunLine) => commandAt(name).isStage === true && isLive(values)

async function runCommand(line: RunLine): Promise<number> {
  const { name, values } = line
  if (commandAt(name).needsRoot && isLive(values) && process.getuid?.() !== 0)
    throw new UsageError(`slm-copilot ${name}: must be run as root.`)
  const { run } = await import('./handlers.ts')
  try {
    return (await run(line)) === false ? 1 : 0
  } catch (error) {
    await report(line, error)
    return isUsageError(error) ? 2 : 1
  }
}

/** Reports an error once: a live stage's to the log, which includes standard output; any other to standard error. */
async function report(line: RunLine, error: unknown): Promise<void> {
  const message = `slm-copilot ${line.name}: ${explained(error)}`
  if (!isLiveStage(line) || isUsageError(error)) {
    printError(message)
    return
  }
  const { openStageLog } = await import('./handlers.ts')
  openStageLog(paths.log).error(message)
}

/** An error's message; if permission was denied, with what to do. */
function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, path, message } = error as NodeJS.ErrnoException
  const isRefused = (code === 'EACCES' || code === 'EPERM') && path !== undefined && process.getuid?.() !== 0
  return isRefused ? `${path}: permission denied; must be run as root.` : message
}
