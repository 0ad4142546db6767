/** The services beside chat that a copilot has, as it publishes them, and as a router reads them. */
import * as z from 'zod'
import { companionKinds } from '../requests/services.ts'

/** The model of each service that there is. */
export const fleetServicesSchema = z.partialRecord(z.enum(companionKinds), z.string())

export type FleetServices = z.infer<typeof fleetServicesSchema>

/** Published in place of an empty list, which would be the same as none published. */
export const noServices = 'none'

/** `completion=NAME embeddings=NAME`, in a fixed order. */
export const servicesText = (services: FleetServices, separator = ' '): string =>
  companionKinds
    .filter(kind => services[kind] !== undefined)
    .map(kind => `${kind}=${services[kind]}`)
    .join(separator)

/** What else is in the text, such as a service of a newer version, is left out. */
export function servicesIn(text: string): FleetServices {
  const pairs = text.split(' ').map(word => word.split(/=(.*)/s, 2))
  const known = companionKinds.flatMap(kind => {
    const model = pairs.find(([name]) => name === kind)?.[1]
    return model === undefined || model === '' ? [] : [[kind, model]]
  })
  return Object.fromEntries(known)
}
