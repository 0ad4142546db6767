/** What a developer pastes into each client: the one source of report, landing page and `slm-copilot clients`. */
import type { Capacity } from '../appliance/capacity.ts'
import type { TlsSummary } from '../appliance/certificates.ts'
import { agents } from './client-agents.ts'
import type { ClientConfiguration, ClientValues } from './client-configuration.ts'
import { sdks } from './client-sdks.ts'

/** What clients need to know of an appliance that serves. */
export type Served = { endpoints: string[]; capacity: Capacity; tls: Pick<TlsSummary, 'isPublic'> }

/** The values for an appliance. The developer keeps the CA wherever it suits; a public certificate needs none. */
export const clientValues = (
  { endpoints: [endpoint = 'localhost'], capacity: { model, contextSize }, tls }: Served,
  key: string,
): ClientValues => ({
  endpoint,
  model: model.name,
  contextSize,
  key,
  caFile: tls.isPublic ? undefined : '/path/to/ca.crt',
})

/** The configuration of every client: agents first, then libraries. */
export const clientConfigurations = (values: ClientValues): ClientConfiguration[] => [
  ...agents(values),
  ...sdks(values),
]
