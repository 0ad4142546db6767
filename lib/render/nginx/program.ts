/** The program that nginx's JavaScript module runs: the request filter and the texts of errors. */
import { answerTimeout } from '../../appliance/nginx/limits.ts'
import { paths } from '../../appliance/paths.ts'
import { program } from './bundle/edge.ts'

export type EdgeSettings = {
  /** The model's name, and further names that requests may use for it. */
  models: string[]
  /** Tokens that one conversation may hold. */
  contextSize: number
  /** Bytes of the largest request. */
  bodyLimit: number
  readsImages: boolean
  /** How many tokens the model knows. */
  vocabulary: number
}

/** The managed file, root's alone. nginx reads it when it starts or reloads. */
export const edgeProgram = (settings: EdgeSettings) => ({
  path: paths.edgeProgram,
  mode: 0o600,
  text: `// Written by slm-copilot at every configure: changes made here are lost.
const settings = ${JSON.stringify({
    ...settings,
    answerTimeout: answerTimeout(settings.contextSize),
    unavailableReason: paths.unavailableReason,
  })};
${program}`,
})

/** The same program for the admission proxy, which has no settings: root's files are closed to it. */
export const admissionProgram = () => ({
  path: paths.admissionProgram,
  mode: 0o644,
  text: `// Written by slm-copilot at every configure: changes made here are lost.
${program}`,
})
