/** The program run by nginx's JavaScript module: the request filter and error messages. */
import { paths } from '../../appliance/paths.ts'
import type { EdgeSettings } from '../../appliance/requests/edge-settings.ts'
import { program } from './bundle/edge.ts'

/** The program as a managed file, readable by root only. nginx reads it when it starts or reloads. */
export const edgeProgram = (settings: EdgeSettings) => ({
  path: paths.edgeProgram,
  mode: 0o600,
  text: `// Written by slm-copilot at every configure: changes made here are lost.
const settings = ${JSON.stringify({
    ...settings,
    unavailableReason: paths.unavailableReason,
    draining: paths.draining,
    metrics: paths.metrics,
  })};
${program}`,
})

/** The program for the admission proxy, which needs no settings, and cannot read files of root's. */
export const admissionProgram = () => ({
  path: paths.admissionProgram,
  mode: 0o644,
  text: `// Written by slm-copilot at every configure: changes made here are lost.
${program}`,
})
