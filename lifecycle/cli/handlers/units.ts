/** Implements the commands that systemd's units call. */
import { exclusively, type Handlers } from './handler.ts'

export const unitHandlers = {
  'fetch-model': async (host, { values }) => {
    const { fetchModel, retryModel } = await import('../../fetch-model.ts')
    await (values.retry ? retryModel(host) : fetchModel(host))
  },
  'fetch-companions': async host => {
    const { fetchCompanions } = await import('../../fetch-companions.ts')
    await fetchCompanions(host)
  },
  renew: async host => {
    const { renew } = await import('../../renew.ts')
    await exclusively(host, renew)
  },
  watchdog: async host => {
    const { watchdog } = await import('../../watchdog.ts')
    await watchdog(host)
  },
  'write-metrics': async host => {
    const { writeMetrics } = await import('../../write-metrics.ts')
    await writeMetrics(host)
    const { publishLoad } = await import('../../publish-load.ts')
    await publishLoad(host)
  },
  'update-readiness': async (host, { values }) => {
    const { updateReadiness } = await import('../../readiness.ts')
    await updateReadiness(host, values['shutting-down'] ? 'stopping' : 'running')
  },
  'attach-disks': async (host, { values }) => {
    const { attachDisks, noticeDisks } = await import('../../attach-disks.ts')
    await (values.changed ? noticeDisks(host) : attachDisks(host))
  },
  'llama-starting': async host => {
    const { llamaStarting } = await import('../../llama-unit.ts')
    await llamaStarting(host)
  },
  'llama-ended': async host => {
    const { llamaEnded } = await import('../../llama-unit.ts')
    await llamaEnded(host)
  },
  'save-prompt-cache': async host => {
    const { save } = await import('../../prompt-cache.ts')
    await save(host)
  },
  'restore-prompt-cache': async host => {
    const { restore } = await import('../../prompt-cache.ts')
    await restore(host)
  },
} satisfies Handlers
