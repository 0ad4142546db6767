/** What a developer pastes into each client: the one source of report, landing page and `slm-copilot clients`. */
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { fileToTrust, type TlsSummary } from '../../appliance/tls/certificates.ts'
import { agents } from './agents.ts'
import type { ClientConfiguration, ClientValues } from './configuration.ts'
import { sdks } from './libraries.ts'

/** What clients need to know of an appliance that serves. */
export type Served = { endpoints: string[]; capacity: Capacity; tls: Pick<TlsSummary, 'mode' | 'isPublic'> }

/** The values for an appliance. The developer keeps the file to trust wherever it suits. */
export const clientValues = (
  { endpoints: [endpoint = 'localhost'], capacity: { model, contextSize }, tls }: Served,
  key: string,
): ClientValues => {
  const file = fileToTrust(tls)
  const caFile = file === undefined ? undefined : `/path/to/${file}`
  return { endpoint, model: model.name, contextSize, key, caFile }
}

/** The configuration of every client: agents first, then libraries. */
export const clientConfigurations = (values: ClientValues): ClientConfiguration[] => [
  ...agents(values),
  ...sdks(values),
]
