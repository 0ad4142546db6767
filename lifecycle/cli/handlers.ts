/** Implements the commands. The executable compiles this file and its imports only when a command is run. */

import { paths } from '../../lib/appliance/paths.ts'
import { type HostOptions, openHost } from '../../lib/system/host.ts'
import { openLog } from '../../lib/system/log.ts'
import type { OptionValues } from './command-line.ts'
import type { Command } from './commands/command.ts'
import { type CommandName, commands } from './commands.ts'
import { administratorHandlers } from './handlers/administrator.ts'
import { type CommandHandler, fileOf, type HandlerInput, text } from './handlers/handler.ts'
import { stageHandlers } from './handlers/stages.ts'
import { unitHandlers } from './handlers/units.ts'

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
  return handlers[name](openHost(options), line)
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
