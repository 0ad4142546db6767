/** `slm-copilot clients`: the settings for developers' clients, from the current plan, without the key. */
import { paths } from '../../lib/appliance/paths.ts'
import { companionModels, describedCapacity, type Plan, unavailability } from '../../lib/appliance/plan.ts'
import { wrapped } from '../../lib/appliance/text.ts'
import { clientConfigurations, clientValues } from '../../lib/render/clients/clients.ts'
import { type ClientConfiguration, configurationText } from '../../lib/render/clients/configuration.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { readCa } from '../../lib/steps/tls/certificates.ts'
import { clientView } from '../../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../../lib/system/host.ts'
import { UsageError } from './usage-error.ts'

const preface = `KEY stands for the API key, which is in the report, ${paths.report}.
The files are on the developer's machine; ca.crt is downloaded (see the report).
On Windows, use \`setx NAME value\` instead of \`export NAME=value\`.
`

function chosen(all: ClientConfiguration[], name: string | undefined): ClientConfiguration[] {
  const found = name === undefined ? all : all.filter(client => client.name === name)
  if (found.length > 0) return found
  const names = all.map(client => client.name).join(', ')
  throw new UsageError(`unknown client ${JSON.stringify(name)}. Known clients: ${names}.`)
}

/** A note that the configurations are for a model that is not being served. */
const notServed = (plan: Plan): string[] =>
  'capacity' in plan ? [] : [`${wrapped(`Note: ${unavailability(plan)}`, 78).join('\n')}\n`]

/** The configuration of one client, or of all. Throws if there is no such client, or no plan yet. */
export function clientsText(host: Host, name: string | undefined): string {
  const plan = readPlan(host)
  const view = clientView(readPairInUse(host), readCa(host), plan.endpoints)
  const values = clientValues(
    { ...view, capacity: describedCapacity(plan), companions: companionModels(plan) },
    'KEY',
  )
  const all = clientConfigurations(values)
  return [preface, ...notServed(plan), ...chosen(all, name).map(configurationText)].join('\n')
}
