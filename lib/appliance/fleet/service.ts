/** The copilots in OneGate's description of a OneFlow service, `GET /service?extended=true`. */
import * as z from 'zod'
import { hostAndPort } from '../names.ts'
import { readPem } from '../tls/pem.ts'
import { attributeNames, drainingName } from './attributes.ts'
import { type Copilot, copilotOf, isAddress } from './fleet.ts'
import { servicesIn } from './services.ts'

/** Of several, OpenNebula makes a list; of one, an object. */
const interfacesSchema = z
  .union([
    z.array(z.record(z.string(), z.unknown())),
    z.record(z.string(), z.unknown()).transform(one => [one]),
  ])
  .catch([])

const vmSchema = z.object({
  VM: z.object({
    ID: z.coerce.string(),
    NAME: z.string().default(''),
    USER_TEMPLATE: z.record(z.string(), z.unknown()).default({}),
    TEMPLATE: z
      .object({ NIC: interfacesSchema, NIC_ALIAS: interfacesSchema })
      .catch({ NIC: [], NIC_ALIAS: [] }),
  }),
})

const serviceSchema = z.object({
  SERVICE: z.object({
    roles: z.array(
      z.object({ nodes: z.array(z.object({ vm_info: vmSchema.optional().catch(undefined) })).optional() }),
    ),
  }),
})

type Vm = z.infer<typeof vmSchema>['VM']

/** `addresses`: the IPv4 ones that OpenNebula has given to the VM; none if it may have others. */
export type ServiceCopilot = { copilot: Copilot; addresses: string[] }

/** Throws if the text is not a service's description. */
export function copilotsIn(text: string, now: Date): ServiceCopilot[] {
  return rolesIn(text)
    .flatMap(({ nodes = [] }) => nodes)
    .flatMap(({ vm_info }) => (vm_info === undefined ? [] : copilotFrom(vm_info.VM, now)))
    .map(([copilot, vm]) => ({ copilot, addresses: addressesOf(vm) }))
}

const isGiven = (address: unknown): address is string => typeof address === 'string' && address !== ''

/**
 * None if some interface has an address that OpenNebula does not know, as with DHCP. Not the IPv6 ones: a VM may choose
 * others than OpenNebula expects (RFC 7217, RFC 8981).
 */
const addressesOf = ({ TEMPLATE: { NIC, NIC_ALIAS } }: Vm): string[] =>
  NIC.every(({ IP }) => isGiven(IP))
    ? [...NIC, ...NIC_ALIAS].flatMap(({ IP, EXTERNAL_IP }) => [IP, EXTERNAL_IP]).filter(isGiven)
    : []

/**
 * Which of the addresses that a copilot's URL has is the VM's own; any if these are not known. Undefined if none is: a
 * VM could lead the router to another machine.
 */
export const ownAddress = (found: string[], { addresses }: Pick<ServiceCopilot, 'addresses'>) =>
  addresses.length === 0 ? found[0] : found.find(address => addresses.includes(address))

/** The error quotes nothing of the text, which contains the VMs' contexts, with keys. */
function rolesIn(text: string) {
  try {
    return serviceSchema.parse(JSON.parse(text)).SERVICE.roles
  } catch {
    throw new Error('what OneGate answers at /service does not describe a service')
  }
}

/** Empty unless the VM publishes that it serves, and how to verify it. A router publishes no slots. */
function copilotFrom(vm: Vm, now: Date): [Copilot, Vm][] {
  const attribute = (name: string) => {
    const value = vm.USER_TEMPLATE[name]
    return typeof value === 'string' ? value : ''
  }
  const url = URL.parse(attribute(attributeNames.api))
  if (url?.protocol !== 'https:') return []
  if (attribute('READY') === 'NO' || attribute(drainingName) === 'YES') return []
  const published = attribute(attributeNames.ca)
  const ca = readPem('certificate', published)
  const services = attribute(attributeNames.services)
  const { host, port } = hostAndPort(url)
  if (ca === undefined && (published !== '' || isAddress(host))) return []
  const copilot = copilotOf({
    name: vm.NAME === '' ? `vm-${vm.ID}` : `${vm.NAME}-${vm.ID}`,
    host,
    port,
    ...(ca !== undefined && { ca }),
    ...(!isAddress(host) && { serverName: host }),
    model: attribute(attributeNames.model),
    contextSize: Number(attribute(attributeNames.contextSize)),
    slots: Number(attribute(attributeNames.slots)),
    ...(services !== '' && { services: servicesIn(services) }),
    version: attribute(attributeNames.version),
    since: now.toISOString(),
  })
  return copilot === undefined ? [] : [[copilot, vm]]
}
