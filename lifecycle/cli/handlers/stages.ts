/** Implements the stages, and the commands that change what is installed or configured. */
import { resolve } from 'node:path'
import { paths } from '../../../lib/appliance/paths.ts'
import { UsageError } from '../usage-error.ts'
import { exclusively, fileOf, type Handlers, recordedStage, text } from './handler.ts'
export const stageHandlers = {
  install: async (host, { values }) => {
    const { install, prepareInstall, switchInstall } = await import('../../install.ts')
    const release = fileOf('release', values)
    if (values.prepare) await prepareInstall(host, release)
    else if (values.switch) await switchInstall(host, release)
    else await recordedStage(host, 'install', () => install(host, release, text(values.mirror)))
  },
  upgrade: async (host, { values, argument }) => {
    const { resume, rollback, upgrade } = await import('../../upgrade.ts')
    const { previewUpgrade } = await import('../../upgrade-source.ts')
    if (values.resume) return resume(host)
    if (values.rollback) return rollback(host)
    if (argument === undefined) throw new UsageError('takes the FILE of a release, or --rollback.')
    const publicKey = fileOf('public-key', values)?.text
    const options = { source: resolve(argument), publicKey, unsigned: values.unsigned === true }
    await (values['dry-run'] ? previewUpgrade(host, options) : upgrade(host, options))
  },
  configure: async host => {
    const { configure } = await import('../../configure.ts')
    await exclusively(host, () => recordedStage(host, 'configure', () => configure(host)))
  },
  bootstrap: async (host, { values }) => {
    const { bootstrapAndFetch } = await import('../../bootstrap.ts')
    const report = text(values.report) ?? paths.report
    await exclusively(host, () => recordedStage(host, 'bootstrap', () => bootstrapAndFetch(host, report)))
  },
  reconfigure: async host => {
    const { inCurrentContext, reconfigure } = await import('../../current-context.ts')
    await exclusively(host, () => reconfigure(inCurrentContext(host)))
  },
  renew: async host => {
    const { renew } = await import('../../renew.ts')
    await exclusively(host, renew)
  },
  sbom: async (host, { values }) => {
    const { sbom } = await import('../../sbom.ts')
    await sbom(host, text(values['one-apps']))
  },
} satisfies Handlers
