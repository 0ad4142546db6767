/** The executable's commands: names, options and help. handlers.ts implements them. */
import { diskLabels } from '../../lib/appliance/disks/disks.ts'
import { contextOption, paths, units } from '../../lib/appliance/paths.ts'
import { defaultDrainLimit } from '../../lib/appliance/services/drain.ts'
import { usefulContext } from '../../lib/appliance/sizing/limits.ts'

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
  /** Must be run as root, unless `--root` or `--dry-run` is given. */
  needsRoot?: boolean
}

const stage = { isStage: true, needsRoot: true }

const dryRun = { 'dry-run': { help: 'show what would change, without changing it' } }
const root = {
  root: { argument: 'DIR', isPath: true, help: 'write to DIR, and list commands instead of running them' },
}
const contextFile = {
  'context-file': {
    argument: 'FILE',
    isPath: true,
    help: 'file with context variables, as lines NAME=value',
  },
}

export const commands = {
  install: {
    summary: 'at bake time: install packages, llama-server, model',
    details: 'Running it again downloads nothing and changes nothing.',
    options: {
      release: {
        argument: 'FILE',
        isPath: true,
        help: 'install the release in FILE, not the production release',
      },
      mirror: { argument: 'URL', help: 'download llama.cpp and the model from a folder at URL' },
      prepare: { help: 'by upgrade: all but what the version in use would notice' },
      switch: { help: 'by upgrade: what is left after --prepare' },
      ...contextFile,
      ...root,
      ...dryRun,
    },
    ...stage,
  },
  configure: {
    summary: 'at every boot: write the files for the context',
    details: `Starts nothing. To run it by hand:
  slm-copilot configure ${contextOption}
Without the context file, all variables return to their defaults.`,
    options: { ...contextFile, ...root, ...dryRun },
    ...stage,
  },
  bootstrap: {
    summary: 'at every boot: start services, test them, write report',
    details: 'Starts, restarts or reloads only the services whose files have changed.',
    options: {
      report: { argument: 'FILE', isPath: true, help: `where to write the report (${paths.report})` },
      ...contextFile,
      ...dryRun,
    },
    ...stage,
  },
  upgrade: {
    summary: 'install a signed release in place of this version',
    details: `FILE is the archive of a release, or the folder that it unpacks to. Its
signature and digests are verified first. The old version serves until all is
prepared, is kept, and is in use again if the new one fails its smoke test.
Password, certificates, models and settings stay. An older release is refused.`,
    argument: 'FILE',
    options: {
      'public-key': {
        argument: 'FILE',
        isPath: true,
        help: "minisign's public key to trust (the image's)",
      },
      unsigned: { help: 'do not check the signature' },
      rollback: { help: 'go back to the version before the last upgrade' },
      resume: { help: 'by a unit: go back after an interrupted upgrade' },
      ...dryRun,
    },
    ...stage,
  },
  reconfigure: {
    summary: 'run configure and bootstrap with the current context',
    details: `As at a context change. By a unit, when this VM's addresses have changed, or
llama-server has run out of memory.`,
    options: {},
    ...stage,
  },
  renew: {
    summary: 'daily, by a timer: renew the private certificate',
    details: 'Renews it in its last 30 days. Reloading nginx interrupts no connection.',
    options: { ...dryRun },
    ...stage,
  },
  backends: {
    summary: 'on a router: list the copilots; sync: look for them',
    details: `\`slm-copilot backends sync\` is run by a timer. It asks OneGate, or the copilots
in ONEAPP_COPILOT_BACKENDS, and tells HAProxy of changes.`,
    argument: 'sync',
    options: {},
    ...stage,
  },
  'fetch-model': {
    summary: 'by a unit: download the requested model',
    details: `Until it has been verified, the baked-in model serves, if that fits. An
interrupted download resumes. By hand, only --retry is useful, after a
downloaded model has failed.`,
    options: { retry: { help: 'retry a model that failed, in the background' } },
    ...stage,
  },
  'fetch-companions': {
    summary: 'by a unit: fetch models for completion and search',
    details: `Those that the context names and the image lacks. Chat serves meanwhile. Each
service starts once its model is there. An interrupted download resumes.`,
    options: {},
    ...stage,
  },
  sbom: {
    summary: 'at bake time, last: write the bill of materials',
    details: `Writes ${paths.sbom}
and ${paths.notices},
from the packages that are installed.`,
    options: {
      'one-apps': { argument: 'COMMIT', help: "the framework's commit in the image" },
      ...dryRun,
    },
    ...stage,
  },
  status: {
    summary: 'show what is being served, and how',
    details: `Services, certificate, requests, speed, memory, disks, stages, versions, and
what is pending. Users other than root see what they may read. Exit code 0 while
serving, 1 otherwise.`,
    options: {
      json: { help: 'print JSON, whose fields stay what they are' },
      schema: { help: "print the JSON's schema (JSON Schema), with what each field means" },
    },
  },
  doctor: {
    summary: 'check the VM and the appliance, and say what to fix',
    details: `Checks CPU, memory, disks, clock, DNS, certificate, files, units and requests.
Changes nothing. Exit code 1 if it finds a problem. Must be run as root.`,
    options: {},
    needsRoot: true,
  },
  usage: {
    summary: 'show who used it how much: requests by day and key',
    details: `Requests, answers and their time, refusals (429) and failures (5xx) by day and
key, and requests without a valid key, from the request log and its rotated
files, which go back 40 days. Must be run as root.`,
    options: {
      since: { argument: 'WHEN', help: 'a date, e.g. 2026-02-14, or a duration, e.g. 24h or 30d (7d)' },
      json: { help: 'print JSON' },
    },
    needsRoot: true,
  },
  verify: {
    summary: 'check model, llama.cpp and executable for damage',
    details: `Compares their SHA-256 digests with those of the release and of the image's bill
of materials, which takes a minute or two for a model of 14 GB. Changes nothing.
Exit code 1 if a file is damaged or missing. Must be run as root.`,
    options: {},
    needsRoot: true,
  },
  'support-bundle': {
    summary: 'collect what helpers need to know, without secrets',
    details: `Status, doctor, versions, plan, context, units, journals, logs, nginx's files,
and facts about the system. Secrets are masked, and requests are not in it.
Lists its files, then writes an archive that only root can read. Must be run as
root.`,
    options: {
      list: { help: 'only list the files' },
      output: { argument: 'FILE', isPath: true, help: 'where to write it (a .tar.gz in /root)' },
    },
    needsRoot: true,
  },
  drain: {
    summary: 'take nothing new, and let what is running end',
    details: `New requests are refused with 503, /health and OneGate say that this VM is
draining. Ends once nothing is being answered, or with exit code 1 at the limit;
what still runs then goes on. The VM stays drained until --undo or a reboot.
When the VM is shut down, a unit drains it first.`,
    options: {
      undo: { help: 'admit requests again' },
      limit: { argument: 'SECONDS', help: `how long to wait (${defaultDrainLimit})` },
      'shutting-down': { help: 'by a unit: only if the whole system stops' },
    },
    ...stage,
  },
  'attach-disks': {
    summary: 'by a unit: mount the disks with models and state',
    details: `Those whose file systems are labelled ${diskLabels.models} and
${diskLabels.state}. An empty disk is formatted for the state if it is named:
ONEAPP_COPILOT_STATE_DISK.`,
    options: { changed: { help: 'by udev: configure again if a disk has come or gone' } },
    ...stage,
  },
  'save-prompt-cache': {
    summary: 'by a unit: save the prompt cache to disk',
    details: `For ${units.promptCache}, which is installed with
ONEAPP_COPILOT_KEEP_PROMPTS=YES.`,
    options: {},
    ...stage,
  },
  'restore-prompt-cache': {
    summary: 'by a unit: restore the prompt cache from disk',
    details: `For ${units.promptCache}. The files are deleted afterwards,
whether they could be read or not.`,
    options: {},
    ...stage,
  },
  'llama-starting': {
    summary: 'before llama-server starts: delay after a crash',
    details: `For ${units.llama}. The delay grows: 1, 2, 4 seconds, up to a minute.`,
    options: {},
    ...stage,
  },
  'llama-ended': {
    summary: 'after llama-server ends: record why, schedule restart',
    details: `For ${units.llama}. A model that never loads is given up after
8 attempts.`,
    options: {},
    ...stage,
  },
  watchdog: {
    summary: 'by a timer: restart a service that has hung',
    details: `Checks ${units.llama}, ${units.admission}
and ${units.nginx}. Services that are busy, however long, and units that
were stopped are left alone.`,
    options: {},
    ...stage,
  },
  'write-metrics': {
    summary: 'by a timer: write metrics, publish the load',
    details: `Counts the requests since its last run, and measures what is used. OneGate is
told how many slots are busy, if that has changed.`,
    options: {},
    needsRoot: true,
  },
  'update-readiness': {
    summary: 'by a unit: set READY and the message of the day',
    details: `While the appliance does not serve, READY and OneGate's attributes are cleared,
and the framework's message of the day says why. The stages clear and set READY
themselves.`,
    options: { 'shutting-down': { help: 'the VM is shutting down: clear them' } },
    ...stage,
  },
  'smoke-test': {
    summary: 'send this or a remote appliance what clients send',
    details: `Checks health, rejection without a key, models, a completion and a stream, and
verifies TLS. Without options it checks this appliance, and must be run as root.`,
    options: {
      endpoint: { argument: 'URL', help: 'remote appliance, e.g. https://copilot.example.com' },
      ca: { argument: 'FILE', isPath: true, help: "PEM file of the CA to trust (the system's CAs)" },
      'key-file': { argument: 'FILE', isPath: true, help: 'file that holds the API key' },
    },
  },
  clients: {
    summary: 'show what to paste into Cline, opencode and others',
    details: `Endpoint, model, CA, context window and timeouts, for all clients or the named
one. The key is not shown: it is in the report. Must be run as root.`,
    argument: 'NAME',
    options: {},
    needsRoot: true,
  },
  models: {
    summary: 'list the models, and how much of each fits',
    details: 'Shows name, strengths, size, licence, and conversations × tokens by default.',
    options: { memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G (this machine's)" } },
  },
  plan: {
    summary: 'show what fits into a VM, and how fast it may be',
    details: `Works without a VM: slm-copilot plan --memory 32G --cpus 16 --context 128k
Options that are omitted default to this machine. --check compares the memory
that the running llama-server uses with the plan.`,
    options: {
      memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G" },
      cpus: { argument: 'N', help: 'number of cores' },
      model: { argument: 'NAME', help: 'name of a model, or a .gguf file' },
      context: { argument: 'TOKENS', help: `for each conversation, e.g. 128k; or auto (${usefulContext})` },
      users: { argument: 'N', help: 'conversations at once (as many as fit, up to 4)' },
      beside: { argument: 'MODELS', help: 'for completion, embeddings, reranking: names, with commas' },
      bandwidth: { argument: 'GB/S', help: 'memory bandwidth, for a better estimate of the speed' },
      json: { help: 'print JSON, in bytes and tokens per second' },
      table: { help: 'print the sizes of all catalogue models as Markdown' },
      check: { help: 'on the appliance: compare planned and used memory' },
    },
  },
  about: {
    summary: 'show versions and licences of all that is inside',
    details: `On a baked appliance from its software bill of materials, elsewhere of the
executable alone.`,
    options: {
      json: { help: 'print JSON, Debian packages included' },
      notices: { help: 'print the licence texts' },
    },
  },
  help: {
    summary: 'show this overview and the context variables',
    details: 'For the usage of one command: slm-copilot help plan',
    argument: 'COMMAND',
    options: {},
  },
} satisfies Record<string, Command>

export type CommandName = keyof typeof commands

/** The command of this name, if there is one. */
export const commandOf = (name: string): Command | undefined =>
  Object.hasOwn(commands, name) ? commands[name as CommandName] : undefined
