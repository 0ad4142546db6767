/** The copilots in OneGate's description of a OneFlow service, `GET /service`. */
import * as z from 'zod'
import { readPem } from '../tls/pem.ts'
import { attributeNames, drainingName } from './attributes.ts'
import type { Copilot } from './fleet.ts'

const vmSchema = z.object({
  VM: z.object({
    ID: z.coerce.string(),
    NAME: z.string().default(''),
    USER_TEMPLATE: z.record(z.string(), z.unknown()).default({}),
  }),
})

const serviceSchema = z.object({
  SERVICE: z.object({
    roles: z.array(
      z.object({ nodes: z.array(z.object({ vm_info: vmSchema.optional().catch(undefined) })).optional() }),
    ),
  }),
})

/** Throws if the text is not a service's description. */
export function copilotsIn(text: string, now: Date): Copilot[] {
  const { SERVICE } = serviceSchema.parse(JSON.parse(text))
  return SERVICE.roles
    .flatMap(({ nodes = [] }) => nodes)
    .flatMap(({ vm_info }) => (vm_info === undefined ? [] : copilotFrom(vm_info.VM, now)))
}

/** Empty unless the VM says that it serves: a router, and a copilot that is loading or draining, publish no slots. */
function copilotFrom(vm: z.infer<typeof vmSchema>['VM'], now: Date): Copilot[] {
  const attribute = (name: string) => {
    const value = vm.USER_TEMPLATE[name]
    return typeof value === 'string' ? value : ''
  }
  const url = URL.parse(attribute(attributeNames.api))
  const slots = Number(attribute(attributeNames.slots))
  if (url?.protocol !== 'https:' || !(Number.isInteger(slots) && slots > 0)) return []
  if (attribute('READY') === 'NO' || attribute(drainingName) === 'YES') return []
  const ca = readPem('certificate', attribute(attributeNames.ca))
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const isAddress = /^[0-9.]+$|:/.test(host)
  return [
    {
      name: vm.NAME === '' ? `vm-${vm.ID}` : `${vm.NAME}-${vm.ID}`,
      host,
      port: url.port === '' ? 443 : Number(url.port),
      ...(ca !== undefined && { ca }),
      ...(!isAddress && { serverName: host }),
      model: attribute(attributeNames.model),
      contextSize: Number(attribute(attributeNames.contextSize)) || 0,
      slots,
      version: attribute(attributeNames.version),
      since: now.toISOString(),
    },
  ]
}
