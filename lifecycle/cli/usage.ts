/** The texts of help: the overview and each command's usage, in 80 columns. */
import { type Command, commands, type Option } from './commands.ts'

/** The commands in a list. */
export const overview = () => `slm-copilot: the lifecycle of the SLM-Copilot appliance

Usage: slm-copilot COMMAND [OPTION...]
       slm-copilot --version | --help

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`)
  .join('\n')}

slm-copilot help COMMAND, or COMMAND --help, tells a command's options. Called
by the name install, configure or bootstrap, it is that command.

Exit codes: 0 done; 1 it failed, or does not serve; 2 the command line is wrong,
or must be run as root; 141 whoever read the output has gone.
`

/** A command's usage and options. */
export function usageOf(name: string, { summary, details, options, argument: taken }: Command): string {
  const described: [string, Option][] = Object.entries({ ...options, help: { help: 'print this' } })
  const forms = described.map(([option, { argument, help }]) => ({
    form: `--${option}${argument === undefined ? '' : ` ${argument}`}`,
    help,
  }))
  const width = Math.max(...forms.map(({ form }) => form.length))
  return `slm-copilot ${name}: ${summary}

${details}

Usage: slm-copilot ${name} [OPTION...]${taken === undefined ? '' : ` [${taken}]`}

${forms.map(({ form, help }) => `  ${form.padEnd(width)}  ${help}`).join('\n')}
`
}
