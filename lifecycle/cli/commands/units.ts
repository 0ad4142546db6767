/** The commands that systemd's units call. */
import { diskLabels } from '../../../lib/appliance/disks/disks.ts'
import { units } from '../../../lib/appliance/paths.ts'
import { type Command, dryRun, stage } from './command.ts'

export const unitCommands = {
  'fetch-model': {
    summary: 'download the requested model',
    details: `Until it has been verified, the baked-in model serves, if that fits. An
interrupted download resumes. By hand, only --retry is useful: after a
downloaded model has failed.`,
    options: { retry: { help: 'retry a model that failed, in the background' } },
    ...stage,
  },
  'fetch-companions': {
    summary: 'fetch models for completion and search',
    details: `Those that the context names and the image lacks, while chat is served. Each
service starts once its model is there. An interrupted download resumes.`,
    options: {},
    ...stage,
  },
  renew: {
    summary: "daily: renew the VM's own certificate",
    details: 'Renews it in its last 30 days. Reloading nginx interrupts no connection.',
    options: { ...dryRun },
    ...stage,
  },
  watchdog: {
    summary: 'restart a service that has hung',
    details: `Checks ${units.llama}, ${units.admission}
and ${units.nginx}. Services that are busy, however long, and units that
were stopped are left alone.`,
    options: {},
    ...stage,
  },
  'write-metrics': {
    summary: 'write metrics, publish the load',
    details: `Counts the requests since its last run, and measures what is used. OneGate is
told how many slots are busy, if that has changed.`,
    options: {},
    needsRoot: true,
  },
  'update-readiness': {
    summary: 'set READY and the message of the day',
    details: `While the appliance does not serve, READY and OneGate's attributes are cleared,
and the framework's message of the day says why. The stages clear and set READY
themselves.`,
    options: { 'shutting-down': { help: 'clear them, since the VM is shutting down' } },
    ...stage,
  },
  'attach-disks': {
    summary: 'mount the disks with models and state',
    details: `Those whose file systems are labelled ${diskLabels.models} and
${diskLabels.state}. An empty disk is formatted for the state if it is named:
ONEAPP_COPILOT_STATE_DISK.`,
    options: { changed: { help: 'for udev: configure again if a disk was added or removed' } },
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
  'save-prompt-cache': {
    summary: 'save the prompt cache to disk',
    details: `For ${units.promptCache}, which is installed with
ONEAPP_COPILOT_KEEP_PROMPTS=YES.`,
    options: {},
    ...stage,
  },
  'restore-prompt-cache': {
    summary: 'restore the prompt cache from disk',
    details: `For ${units.promptCache}. The files are deleted afterwards,
whether they could be read or not.`,
    options: {},
    ...stage,
  },
} satisfies Record<string, Command>
