/** Which copilots there are: those named in the context, or those of the OneFlow service. */
import { X509Certificate } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import * as z from 'zod'
import { variables } from '../../appliance/context/variables.ts'
import type { Backend } from '../../appliance/fleet/backends.ts'
import { type Copilot, copilotOf, isAddress } from '../../appliance/fleet/fleet.ts'
import { fleetHeaders } from '../../appliance/fleet/headers.ts'
import { copilotsIn, ownAddress, type ServiceCopilot } from '../../appliance/fleet/service.ts'
import { servicesIn } from '../../appliance/fleet/services.ts'
import { hostInUrl } from '../../appliance/names.ts'
import { accessOf, oneGateRequest } from '../../appliance/onegate.ts'
import { readPem } from '../../appliance/tls/pem.ts'
import { ownClient, ownHeaders } from '../../appliance/usage/log-format.ts'
import type { Host } from '../../system/host.ts'
import { presentedBy } from '../../system/untrusted.ts'

/** Seconds for each request. */
const timeout = 3

/** `problems`: why copilots, by their names, could not be asked now. */
export type Discovered = { copilots: Copilot[]; problems: Map<string, string> }

/** The copilots of this VM's OneFlow service that publish that they serve. Rejects if OneGate does not answer. */
export async function copilotsOfService(host: Host, context: Record<string, string>): Promise<Discovered> {
  const access = accessOf(context)
  if (access === undefined)
    throw new Error('this VM has no access to OneGate (TOKEN=YES in its template), and no backends are named')
  // Without `extended`, the answer has only the VMs' names (onegate-server.rb, build_service_hash).
  const { status, body } = await host.http({ ...oneGateRequest(access, '/service?extended=true'), timeout })
  if (status !== 200) throw new Error(`OneGate answered ${status} at /service`)
  return collected(copilotsIn(body, host.now()).map(found => [found.copilot.name, reachedItself(found)]))
}

/** The copilots named by hand. Those that do not serve yet are left out, and are asked again next time. */
export const namedCopilots = (host: Host, backends: Backend[], fleetKey: string): Promise<Discovered> =>
  collected(backends.map(backend => [nameOf(backend), describe(host, backend, fleetKey).then(reached)]))

async function collected(asked: [name: string, answer: Promise<Copilot>][]): Promise<Discovered> {
  const problems = new Map<string, string>()
  const answers = asked.map(([name, answer]) =>
    answer.catch((error: Error) => {
      problems.set(name, error.message)
      return undefined
    }),
  )
  const copilots = (await Promise.all(answers)).filter(copilot => copilot !== undefined)
  return { copilots, problems }
}

/** HAProxy takes only addresses for servers that are added while it runs. */
async function addressesOf({ host }: Copilot): Promise<string[]> {
  if (isAddress(host)) return [host]
  return (await lookup(host, { all: true })).map(({ address }) => address)
}

async function reached(copilot: Copilot): Promise<Copilot> {
  const [address = copilot.host] = await addressesOf(copilot)
  return { ...copilot, host: address }
}

/** At one of the VM's own addresses, as OpenNebula knows them: no VM of the service can lead the router elsewhere. */
async function reachedItself({ copilot, addresses }: ServiceCopilot): Promise<Copilot> {
  const found = await addressesOf(copilot)
  const address = ownAddress(found, { addresses })
  if (address === undefined)
    throw new Error(
      `it publishes ${copilot.host}, which OpenNebula has not given to this VM (${addresses.join(', ')}). If a NAT leads there, name it in ${variables.backends.name}`,
    )
  return { ...copilot, host: address }
}

const nameOf = ({ host, port }: Backend) => (port === 443 ? host : `${host}:${port}`)

/** What a copilot says of itself, over a connection that is verified. */
async function describe(host: Host, backend: Backend, fleetKey: string): Promise<Copilot> {
  const { host: address, port } = backend
  const origin = `https://${hostInUrl(address)}:${port}`
  const ca = await trusted(origin, backend.fingerprint)
  const headers = {
    ...ownHeaders,
    authorization: `Bearer ${fleetKey}`,
    [fleetHeaders.tenant.name]: ownClient,
  }
  const get = async <T>(path: string, schema: z.ZodType<T>) => {
    const { status, body, headers: answered } = await host.http({ url: origin + path, ca, headers, timeout })
    if (status === 401)
      throw new Error(`it refuses the fleet's key: give it the ${variables.fleetKey.name} of this router`)
    if (status !== 200) throw new Error(`it answered ${status} at ${path}`)
    return { value: parsed(path, body, schema), services: answered[fleetHeaders.services.name.toLowerCase()] }
  }
  const [props, model] = await Promise.all([get('/props', propsSchema), get('/v1/models', modelsSchema)])
  const copilot = copilotOf({
    name: nameOf(backend),
    host: address,
    port,
    ...(ca !== undefined && { ca }),
    ...(!isAddress(address) && { serverName: address }),
    ...props.value,
    model: model.value,
    // One of an earlier version does not say.
    ...(typeof props.services === 'string' && { services: servicesIn(props.services) }),
    version: '',
    since: host.now().toISOString(),
  })
  if (copilot === undefined) throw new Error('its answer at /props is not that of a copilot')
  return copilot
}

/** What llama-server says of itself. */
const propsSchema = z
  .object({ default_generation_settings: z.object({ n_ctx: z.int() }), total_slots: z.int().min(1) })
  .transform(({ default_generation_settings: { n_ctx: contextSize }, total_slots: slots }) => ({
    contextSize,
    slots,
  }))

/** OpenAI's API: the first model is that of chat. */
const modelsSchema = z
  .object({ data: z.array(z.object({ id: z.string() })).min(1) })
  .transform(({ data: [first] }) => first?.id ?? '')

function parsed<T>(path: string, body: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(body))
  } catch (error) {
    throw new Error(`its answer at ${path} is not that of a copilot`, { cause: error })
  }
}

/**
 * PEM of the certificate to trust; undefined if a public CA is expected. The fingerprint is the CA's, or the server's:
 * then the CA that it names is believed, since it comes over a connection to the holder of that certificate's key.
 */
async function trusted(origin: string, fingerprint: string | undefined): Promise<string | undefined> {
  if (fingerprint === undefined) return undefined
  const { certificate, body } = await presentedBy(`${origin}/ca.crt`, timeout)
  const pem = readPem('certificate', body)
  const ca = pem === undefined ? undefined : new X509Certificate(pem)
  const matches = (one: X509Certificate | undefined) => one?.fingerprint256 === fingerprint
  if (matches(ca)) return pem
  if (matches(certificate) && ca !== undefined && certificate?.checkIssued(ca)) return pem
  if (matches(certificate)) return certificate?.toString()
  throw new Error(
    `neither its certificate nor its CA has the fingerprint ${fingerprint}: its CA has ${ca?.fingerprint256 ?? 'none'}`,
  )
}
