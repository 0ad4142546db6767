/** Implements the commands. The executable compiles this file and its imports only when a command is run. */

import { paths } from '../../lib/appliance/paths.ts'
import { type Host, type HostOptions, openHost } from '../../lib/system/host.ts'
import { openLog } from '../../lib/system/log.ts'
import type { OptionValues } from './command-line.ts'
import type { Command } from './commands/command.ts'
import { type CommandName, commands } from './commands.ts'
import { administratorHandlers } from './handlers/administrator.ts'
import { type CommandHandler, fileOf, type HandlerInput, text } from './handlers/handler.ts'
import { stageHandlers } from './handlers/stages.ts'
import { unitHandlers } from './handlers/units.ts'
import { UsageError } from './usage-error.ts'

const handlers: Record<CommandName, CommandHandler> = {
  ...administratorHandlers,
  ...stageHandlers,
  ...unitHandlers,
}

/** Runs a command on this machine, or on the folder given with `--root`. */
export async function run(line: HandlerInput): Promise<unknown> {
  const { name, values } = line
  const command: Command = commands[name]
  const options: HostOptions = {
    env: await contextOf(values),
    root: text(values.root),
    dryRun: values['dry-run'] === true,
    ...(command.isStage && { log: paths.log }),
  }
  const host = openHost(options)
  if (command.worksElsewhere?.(values) !== true) expectAppliance(host)
  return handlers[name](host, line)
}

/** Throws unless install or configure has been here: one of their files may have been lost. */
function expectAppliance({ files }: Host): void {
  if ([paths.release, paths.unit].every(path => files.status(path) === undefined))
    throw new UsageError(
      `this machine is not an SLM-Copilot appliance: ${paths.release} does not exist. Run the command in the appliance's VM.`,
    )
}

/** The context variables: from the file given with `--context-file`, else from the environment. */
async function contextOf(values: OptionValues): Promise<HostOptions['env']> {
  const file = fileOf('context-file', values)
  if (file === undefined) return process.env
  const { parseEnvironment } = await import('../environment.ts')
  return parseEnvironment(file.text)
}

/** The log of a live stage, for the error that ended it. */
export const openStageLog = (path: string) =>
  openLog(() => new Date(), process.getuid?.() === 0 ? path : undefined)
