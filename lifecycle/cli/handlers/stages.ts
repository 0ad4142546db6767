/** Implements the stages. */
import { paths } from '../../../lib/appliance/paths.ts'
import { exclusively, fileOf, type Handlers, recordedStage, text } from './handler.ts'

export const stageHandlers = {
  install: async (host, { values }) => {
    const { install, prepareInstall, switchInstall } = await import('../../install.ts')
    const release = fileOf('release', values)
    if (values.prepare) await prepareInstall(host, release)
    else if (values.switch) await switchInstall(host, release)
    else await recordedStage(host, 'install', () => install(host, release, text(values.mirror)))
  },
  sbom: async (host, { values }) => {
    const { sbom } = await import('../../sbom.ts')
    await sbom(host, text(values['one-apps']))
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
} satisfies Handlers
