/** Client configurations: the single source for the report, the landing page and `slm-copilot clients`. */

import type { CompanionModel } from '../../appliance/models/companions.ts'
import { thoughtTokens } from '../../appliance/models/thinking.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { fileToTrust, type TlsSummary } from '../../appliance/tls/certificates.ts'
import { companionClients } from './completion.ts'
import { type ClientConfiguration, type ClientValues, usualThoughts } from './configuration.ts'
import { editors } from './editors.ts'
import { sdks } from './sdks.ts'
import { terminalAgents } from './terminal-agents.ts'

/** What client configurations depend on. */
export type ServingAppliance = {
  endpoints: string[]
  capacity: Capacity
  /** The models of the services beside chat. */
  companions: CompanionModel[]
  tls: Pick<TlsSummary, 'mode' | 'isPublic'>
}

/** The values for one appliance. Developers choose where to keep the CA's file, so its path is a placeholder. */
export const clientValues = (
  {
    endpoints: [endpoint = 'localhost'],
    capacity: { model, contextSize, thinking },
    companions,
    tls,
  }: ServingAppliance,
  key: string,
): ClientValues => {
  const file = fileToTrust(tls)
  const caFile = file === undefined ? undefined : `/path/to/${file}`
  const thoughts = thoughtTokens(model, thinking, usualThoughts)
  return {
    endpoint,
    model: model.name,
    contextSize,
    thoughts,
    companions: companionValues(companions),
    key,
    caFile,
  }
}

function companionValues(models: CompanionModel[]): ClientValues['companions'] {
  const of = (kind: CompanionModel['kind']) => models.find(model => model.kind === kind)
  const embeddings = of('embeddings')
  return {
    completion: of('completion')?.name,
    embeddings: embeddings && { name: embeddings.name, queryPrefix: embeddings.prefixes?.query ?? '' },
    reranking: of('reranking')?.name,
  }
}

/** The configuration of every client: editors, terminal agents, then SDKs. Without a CA, some need no variables. */
export const clientConfigurations = (values: ClientValues): ClientConfiguration[] =>
  [...editors(values), ...terminalAgents(values), ...sdks(values), ...companionClients(values)].map(
    client => ({
      ...client,
      snippets: client.snippets.filter(({ text }) => text !== ''),
    }),
  )
