/** What a developer pastes into each client: the one source of report, landing page and `slm-copilot clients`. */
import { endpointUrl } from '../appliance/names.ts'

export type ClientValues = {
  /** A name or address of the appliance, with a port where it is not 443. */
  endpoint: string
  model: string
  /** Tokens of a conversation. */
  contextSize: number
  /** Shown in place of the key where it is not to be shown. */
  key: string
  /** Where the developer keeps the appliance's CA; undefined with a public certificate. */
  caFile: string | undefined
}

export type ClientConfiguration = {
  /** As on the command line: `slm-copilot clients NAME`. */
  name: string
  title: string
  /** Where the text goes, in a sentence. */
  place: string
  text: string
}

const cline = ({ endpoint, model, contextSize, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'cline',
  title: 'Cline',
  place: 'Settings > API Configuration',
  text: `API Provider        = OpenAI Compatible
Base URL            = ${endpointUrl(endpoint)}
API Key             = ${key}
Model ID            = ${model}
Context Window      = ${contextSize}
${caFile === undefined ? '' : `Before the editor starts: export NODE_EXTRA_CA_CERTS=${caFile}\n`}`,
})

/** The configuration of every client that the tests run for real. */
export const clientConfigurations = (values: ClientValues): ClientConfiguration[] => [cline(values)]
