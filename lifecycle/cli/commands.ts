/** The executable's commands: their names, options and help. What each does stands in handlers.ts. */
import { contextOption, paths, units } from '../../lib/appliance/paths.ts'
import { usefulContext } from '../../lib/appliance/sizing/limits.ts'

export type Option = {
  /** What the option takes; nothing where this is absent. */
  argument?: string
  /** The argument names a file or folder: relative to the working directory, whatever `--root` is. */
  isPath?: boolean
  help: string
}

export type Command = {
  summary: string
  details: string
  options: Record<string, Option>
  /** What one argument beside the options may name; none is taken where this is absent. */
  argument?: string
  /** Stages log to the appliance's log file. */
  isStage?: boolean
  /** Reads or changes what is root's alone, unless `--root` or `--dry-run` is given. */
  needsRoot?: boolean
}

const stage = { isStage: true, needsRoot: true }

const dryRun = { 'dry-run': { help: 'show what would change, change nothing' } }
const root = {
  root: { argument: 'DIR', isPath: true, help: 'write under DIR, list commands instead of running them' },
}
const contextFile = {
  'context-file': { argument: 'FILE', isPath: true, help: 'context variables, as lines NAME=value' },
}

export const commands = {
  install: {
    summary: 'bake time: packages, llama-server, model, unit',
    details: 'Run again it downloads nothing and changes nothing.',
    options: {
      release: {
        argument: 'FILE',
        isPath: true,
        help: 'install what FILE names, not the production release',
      },
      ...contextFile,
      ...root,
      ...dryRun,
    },
    ...stage,
  },
  configure: {
    summary: 'every boot: context, plan, files; starts nothing',
    details: `By hand:
  slm-copilot configure ${contextOption}
Without the context's variables each takes its default again.`,
    options: { ...contextFile, ...root, ...dryRun },
    ...stage,
  },
  bootstrap: {
    summary: 'every boot: services, smoke test, report',
    details: 'Starts, restarts or reloads just what runs on other files than stand on disk.',
    options: {
      report: { argument: 'FILE', isPath: true, help: `the report's file (${paths.report})` },
      ...contextFile,
      ...dryRun,
    },
    ...stage,
  },
  renew: {
    summary: 'every day, by a timer: the private certificate',
    details: 'Another one where it ends within 30 days; nginx takes it up and cuts nobody.',
    options: { ...dryRun },
    ...stage,
  },
  'fetch-model': {
    summary: 'by a unit: fetch the model that is asked for',
    details: `Until it answers the baked one serves, where that fits. A download goes on
where it was.
By hand only --retry is of use: after a downloaded model failed.`,
    options: { retry: { help: 'try a model again that failed, in the background' } },
    ...stage,
  },
  status: {
    summary: 'what serves, and what is being fetched, on one screen',
    details: 'Exit code 0 when it serves, 1 when it does not. Must be run as root.',
    options: {},
    needsRoot: true,
  },
  'save-prompt-cache': {
    summary: 'before its stop: the prompt cache to disk',
    details: `For ${units.promptCache}, which is installed with
ONEAPP_COPILOT_KEEP_PROMPTS=YES.`,
    options: {},
    ...stage,
  },
  'restore-prompt-cache': {
    summary: 'after its start: the prompt cache from disk',
    details: `For ${units.promptCache}. The files are deleted afterwards,
whether they could be read or not.`,
    options: {},
    ...stage,
  },
  'llama-starting': {
    summary: 'before llama-server starts: the pause after a crash',
    details: `For ${units.llama}. The pause grows: 1 second, 2, 4, a minute at most.`,
    options: {},
    ...stage,
  },
  'llama-ended': {
    summary: 'after llama-server ended: why, and what follows',
    details: `For ${units.llama}. A model that never loads is given up.`,
    options: {},
    ...stage,
  },
  watchdog: {
    summary: 'by a timer: restart a service that has hung',
    details: `Looks at ${units.llama}, ${units.admission}
and ${units.nginx}. Work, however long, a full house, and a unit
that was stopped are left alone.`,
    options: {},
    ...stage,
  },
  'smoke-test': {
    summary: 'ask this or a remote appliance what clients will ask',
    details: `Health, a refusal without key, models, a completion, a stream; TLS verified.
Without options: this appliance, as root.`,
    options: {
      endpoint: { argument: 'URL', help: 'a remote appliance, e.g. https://copilot.example.com' },
      ca: { argument: 'FILE', isPath: true, help: "the CA to trust, PEM; else the system's" },
      'key-file': { argument: 'FILE', isPath: true, help: 'a file that holds the key' },
    },
  },
  clients: {
    summary: 'what to paste into Cline, opencode and others',
    details: `Endpoint, model, CA, context window, time-outs; for all clients, or one by name.
The key is not printed: it is in the report. Must be run as root.`,
    argument: 'NAME',
    options: {},
    needsRoot: true,
  },
  models: {
    summary: 'the models there are, and what of each fits here',
    details: 'Name, what it is good at, size, licence, conversations × tokens by default.',
    options: { memory: { argument: 'SIZE', help: 'for a VM of this memory, e.g. 32G' } },
  },
  plan: {
    summary: 'what fits into a VM, and how fast it may be',
    details: `Without a VM: slm-copilot plan --memory 32G --cpus 16 --context 128k
What is not said is this machine's own. --check: the memory that the
running llama-server has, beside what was planned for it.`,
    options: {
      memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G" },
      cpus: { argument: 'N', help: 'its cores' },
      model: { argument: 'NAME', help: 'a model by its name, or a .gguf file' },
      context: { argument: 'TOKENS', help: `for each conversation, e.g. 128k; or auto (${usefulContext})` },
      users: { argument: 'N', help: 'conversations at once (as many as fit, up to 4)' },
      bandwidth: { argument: 'GB/S', help: 'of the memory: makes the expected speed exact' },
      json: { help: 'bytes and tokens per second, for programs' },
      table: { help: 'sizes for every catalogue model, as Markdown' },
      check: { help: 'on the appliance: planned and measured memory' },
    },
  },
  help: {
    summary: 'this overview, and the context variables',
    details: 'Or the usage of one command: slm-copilot help plan',
    argument: 'COMMAND',
    options: {},
  },
} satisfies Record<string, Command>

export type CommandName = keyof typeof commands

/** The command of this name, if there is one. */
export const commandOf = (name: string): Command | undefined =>
  Object.hasOwn(commands, name) ? commands[name as CommandName] : undefined
