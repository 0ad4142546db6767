/** What describes a command, and the options that several share. */
export type Option = {
  /** Placeholder of the option's value in the help; absent if it takes none. */
  argument?: string
  /** The value is a path: relative to the working directory, even with `--root`. */
  isPath?: boolean
  help: string
}

export type Command = {
  summary: string
  details: string
  options: Record<string, Option>
  /** Placeholder of the positional argument; absent if the command takes none. */
  argument?: string
  /** Logs to the appliance's log file. */
  isStage?: boolean
  /** With which options it works on machines that are no appliance. */
  worksElsewhere?: (options: Record<string, unknown>) => boolean
  /** Must be run as root, unless `--root` or `--dry-run` is given. */
  needsRoot?: boolean
}

export const stage = { isStage: true, needsRoot: true }

export const dryRun = { 'dry-run': { help: 'show what would change, without changing it' } }
export const root = {
  root: { argument: 'DIR', isPath: true, help: 'write to DIR, and list commands instead of running them' },
}
export const contextFile = {
  'context-file': {
    argument: 'FILE',
    isPath: true,
    help: 'file with context variables, as lines NAME=value',
  },
}
