/** Implements the commands that units and timers call, and those that concern what runs. */
import { print } from '../../../lib/system/plain-text.ts'
import { UsageError } from '../usage-error.ts'
import { type Handlers, text } from './handler.ts'
export const unitHandlers = {
  backends: async (host, { argument }) => {
    const { listBackends, syncBackends } = await import('../../backends.ts')
    if (argument === 'sync') return syncBackends(host)
    if (argument !== undefined) throw new UsageError('takes nothing, or sync.')
    print(await listBackends(host))
  },
  'fetch-model': async (host, { values }) => {
    const { fetchModel, retryModel } = await import('../../fetch-model.ts')
    await (values.retry ? retryModel(host) : fetchModel(host))
  },
  'fetch-companions': async host => {
    const { fetchCompanions } = await import('../../fetch-companions.ts')
    await fetchCompanions(host)
  },
  drain: async (host, { values }) => {
    const { drain, drainAtShutdown, limitFrom, undoDrain } = await import('../../drain.ts')
    const limit = limitFrom(text(values.limit))
    if (values.undo) return undoDrain(host)
    return values['shutting-down'] ? drainAtShutdown(host, limit) : drain(host, limit)
  },
  'attach-disks': async (host, { values }) => {
    const { attachDisks, noticeDisks } = await import('../../attach-disks.ts')
    await (values.changed ? noticeDisks(host) : attachDisks(host))
  },
  'save-prompt-cache': async host => {
    const { save } = await import('../../prompt-cache.ts')
    await save(host)
  },
  'restore-prompt-cache': async host => {
    const { restore } = await import('../../prompt-cache.ts')
    await restore(host)
  },
  'llama-starting': async host => {
    const { llamaStarting } = await import('../../llama-unit.ts')
    await llamaStarting(host)
  },
  'llama-ended': async host => {
    const { llamaEnded } = await import('../../llama-unit.ts')
    await llamaEnded(host)
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
} satisfies Handlers
