/** The executable's commands: names, options and help. handlers.ts implements them. */
import { administratorCommands } from './commands/administrator.ts'
import type { Command } from './commands/command.ts'
import { stageCommands } from './commands/stages.ts'
import { unitCommands } from './commands/units.ts'

/** As the overview shows them. */
export const commandGroups: [title: string, commands: Record<string, Command>][] = [
  ['Commands', administratorCommands],
  ['Stages, which OpenNebula runs', stageCommands],
  ["Commands that systemd's units run", unitCommands],
]

export const commands = { ...administratorCommands, ...stageCommands, ...unitCommands }

export type CommandName = keyof typeof commands

/** The command of this name, if there is one. */
export const commandOf = (name: string): Command | undefined =>
  Object.hasOwn(commands, name) ? commands[name as CommandName] : undefined
