/** Help texts: the overview and each command's usage, in 80 columns. */
import type { Command, Option } from './commands/command.ts'
import { unitCommands } from './commands/units.ts'
import { commandGroups } from './commands.ts'

const widest = Math.max(...commandGroups.flatMap(([, group]) => Object.keys(group)).map(name => name.length))

const rows = (group: Record<string, Command>) =>
  Object.entries(group)
    .map(([name, { summary }]) => `  ${name.padEnd(widest)} ${summary}`)
    .join('\n')

/** The overview of all commands. */
export const overview = () => `slm-copilot: installs, configures and runs the SLM-Copilot appliance

Usage: slm-copilot COMMAND [OPTION...]
       slm-copilot --version | --help

${commandGroups.map(([title, group]) => `${title}:\n${rows(group)}`).join('\n\n')}

slm-copilot help COMMAND, or COMMAND --help, describes a command's options. When
called as install, configure or bootstrap, the executable runs that command.

Exit codes: 0 success; 1 failure, or not serving; 2 usage error, or not run as
root; 141 output closed by its reader.
`

/** A command's usage and options. */
export function usageOf(name: string, { summary, details, options, argument: taken }: Command): string {
  const described: [string, Option][] = Object.entries({ ...options, help: { help: 'show this help' } })
  const forms = described.map(([option, { argument, help }]) => ({
    form: `--${option}${argument === undefined ? '' : ` ${argument}`}`,
    help,
  }))
  const width = Math.max(...forms.map(({ form }) => form.length))
  const caller = Object.hasOwn(unitCommands, name) ? 'A systemd unit runs this command.\n\n' : ''
  return `slm-copilot ${name}: ${summary}

${details}

${caller}Usage: slm-copilot ${name} [OPTION...]${taken === undefined ? '' : ` [${taken}]`}

${forms.map(({ form, help }) => `  ${form.padEnd(width)}  ${help}`).join('\n')}
`
}
