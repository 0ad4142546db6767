/** What developers paste into their clients, printed from the plan in force. The key never is. */
import { paths } from '../../lib/appliance/paths.ts'
import { describedCapacity, type Plan, unavailability } from '../../lib/appliance/plan.ts'
import { wrapped } from '../../lib/appliance/text.ts'
import { clientConfigurations, clientValues } from '../../lib/render/clients/clients.ts'
import { type ClientConfiguration, configurationText } from '../../lib/render/clients/configuration.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import { readCa } from '../../lib/steps/tls/certificates.ts'
import { clientView } from '../../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../../lib/system/host.ts'
import { UsageError } from './usage-error.ts'

const preface = `KEY stands for the API key: it is in the report, ${paths.report}.
The files are those of the developer, who has fetched ca.crt (see the report).
`

function chosen(all: ClientConfiguration[], name: string | undefined): ClientConfiguration[] {
  const found = name === undefined ? all : all.filter(client => client.name === name)
  if (found.length > 0) return found
  const names = all.map(client => client.name).join(', ')
  throw new UsageError(`there is no client ${JSON.stringify(name)}. There are: ${names}.`)
}

/** That the configurations are of a model which does not run. */
const notServed = (plan: Plan): string[] =>
  plan.state === 'serving' ? [] : [`${wrapped(`Note: ${unavailability(plan)}`, 78).join('\n')}\n`]

/** The configuration of one client, or of all. Throws when there is no such client, or no plan yet. */
export function clientsText(host: Host, name: string | undefined): string {
  const plan = readPlan(host)
  const view = clientView(readPairInUse(host), readCa(host), plan.endpoints)
  const values = clientValues({ ...view, capacity: describedCapacity(plan) }, 'KEY')
  const all = clientConfigurations(values)
  return [preface, ...notServed(plan), ...chosen(all, name).map(configurationText)].join('\n')
}
