/** Which VMs of a OneFlow service a router takes. */
import { expect, it } from 'vitest'
import { copilotsIn as found, ownAddress } from '../../../../lib/appliance/fleet/service.ts'

const now = new Date('2026-02-14T10:00:00Z')
const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const serving = {
  READY: 'YES',
  ONEAPP_COPILOT_API: 'https://192.0.2.7/v1',
  ONEAPP_COPILOT_SERVED_MODEL: 'tiny',
  ONEAPP_COPILOT_SERVED_CONTEXT: '4096',
  ONEAPP_COPILOT_SLOTS: '4',
  ONEAPP_COPILOT_CA: Buffer.from(pem).toString('base64'),
  ONEAPP_COPILOT_VERSION: '1.2.3',
}
const vm = (USER_TEMPLATE: unknown, ID: unknown = '12') => ({
  deploy_id: 12,
  vm_info: { VM: { ID, NAME: 'copilot_0', TEMPLATE: { NIC: [] }, USER_TEMPLATE } },
})
const copilotsIn = (...given: Parameters<typeof found>) => found(...given).map(({ copilot }) => copilot)
const service = (...nodes: unknown[]) =>
  JSON.stringify({
    SERVICE: { name: 'fleet', id: '3', roles: [{ name: 'router' }, { name: 'copilot', nodes }] },
  })

it('takes a VM that serves', () => {
  expect(copilotsIn(service(vm(serving)), now)).toEqual([
    {
      name: 'copilot_0-12',
      host: '192.0.2.7',
      port: 443,
      ca: pem,
      model: 'tiny',
      contextSize: 4096,
      slots: 4,
      version: '1.2.3',
      since: now.toISOString(),
    },
  ])
})

it.each<[string, string | undefined, object | undefined]>([
  ['has two services', 'completion=infill embeddings=a=b', { completion: 'infill', embeddings: 'a=b' }],
  ['has none', 'none', {}],
  ['has one of a newer version', 'speech=s reranking=r', { reranking: 'r' }],
  ['publishes nonsense', 'completion= = embeddings', {}],
  ['does not say', '', undefined],
  ['is of an older version', undefined, undefined],
])('services of one that %s', (_, published, services) => {
  const attributes = { ...serving, ...(published !== undefined && { ONEAPP_COPILOT_SERVICES: published }) }
  expect(copilotsIn(service(vm(attributes)), now)[0]?.services).toEqual(services)
})

it.each<[string, object]>([
  ['has not been configured', {}],
  ['is loading, or shutting down', { ...serving, ONEAPP_COPILOT_API: '' }],
  ['is not ready', { ...serving, READY: 'NO' }],
  ['is draining', { ...serving, ONEAPP_COPILOT_DRAINING: 'YES' }],
  ['is a router', { ...serving, ONEAPP_COPILOT_SLOTS: '' }],
  ['publishes nonsense as slots', { ...serving, ONEAPP_COPILOT_SLOTS: '1e9x' }],
  ['publishes no https URL', { ...serving, ONEAPP_COPILOT_API: 'http://192.0.2.7/v1' }],
  ['publishes more slots than there can be', { ...serving, ONEAPP_COPILOT_SLOTS: '1000000' }],
  ['publishes nonsense as its context', { ...serving, ONEAPP_COPILOT_SERVED_CONTEXT: '4096.5' }],
  ['publishes a CA that is cut off', { ...serving, ONEAPP_COPILOT_CA: 'LS0tLS1CRUdJTiBDRVJU' }],
  [
    'publishes a CA that is cut off, with a name',
    {
      ...serving,
      ONEAPP_COPILOT_API: 'https://copilot.example.com/v1',
      ONEAPP_COPILOT_CA: 'LS0tLS1CRUdJTiBDRVJU',
    },
  ],
  ['publishes an address without a CA', { ...serving, ONEAPP_COPILOT_CA: '' }],
  ['publishes an object', { ...serving, ONEAPP_COPILOT_API: {} }],
])('leaves out one that %s, and takes the other', (_, attributes) => {
  expect(copilotsIn(service(vm(attributes), vm(serving, 13)), now).map(({ name }) => name)).toEqual([
    'copilot_0-13',
  ])
})

it.each([
  ['a VM without description', service({ deploy_id: 1 }, { deploy_id: 2, vm_info: null }), 0],
  ['a service without VMs', service(), 0],
])('%s', (_, text, count) => {
  expect(copilotsIn(text, now)).toHaveLength(count)
})

it.each(['', 'null', '{}', '<html>', '{"SERVICE": {}}', '{"KEY": "key-of-a-vm", x}'])('rejects %j', text => {
  expect(() => copilotsIn(text, now)).toThrow(
    /^what OneGate answers at \/service does not describe a service$/,
  )
})

it.each<[string, object, object]>([
  ['an IPv6 address', { ONEAPP_COPILOT_API: 'https://[2001:db8::7]/v1' }, { host: '2001:db8::7' }],
  ['another port', { ONEAPP_COPILOT_API: 'https://192.0.2.7:8443/v1' }, { port: 8443 }],
  [
    'a CA of its own and a name',
    { ONEAPP_COPILOT_API: 'https://copilot.example.com/v1' },
    { serverName: 'copilot.example.com', ca: pem },
  ],
  ['no model’s name', { ONEAPP_COPILOT_SERVED_MODEL: undefined }, { model: '' }],
])('takes a VM that publishes %s', (_, attributes, expected) => {
  expect(copilotsIn(service(vm({ ...serving, ...attributes })), now)).toMatchObject([expected])
})

it('calls a VM without a name by its number', () => {
  const nameless = { vm_info: { VM: { ID: 12, USER_TEMPLATE: serving } } }
  expect(copilotsIn(service(nameless), now).map(({ name }) => name)).toEqual(['vm-12'])
})

it('verifies a name where the address has one', () => {
  const named = { ...serving, ONEAPP_COPILOT_API: 'https://copilot.example.com/v1', ONEAPP_COPILOT_CA: '' }
  const [found] = copilotsIn(service(vm(named)), now)
  expect(found).toMatchObject({ host: 'copilot.example.com', serverName: 'copilot.example.com' })
  expect(found).not.toHaveProperty('ca')
})

const nic = (IP?: string, more = {}) => ({ NETWORK: 'private', MAC: '02:00:0a:00:00:05', IP, ...more })
it.each<[string, unknown, string[]]>([
  ['one interface, an object', { NIC: nic('10.0.0.5') }, ['10.0.0.5']],
  ['two, a list', { NIC: [nic('10.0.0.5'), nic('192.0.2.5')] }, ['10.0.0.5', '192.0.2.5']],
  ['an alias', { NIC: nic('10.0.0.5'), NIC_ALIAS: nic('10.0.0.9') }, ['10.0.0.5', '10.0.0.9']],
  ['an external address', { NIC: nic('10.0.0.5', { EXTERNAL_IP: '192.0.2.5' }) }, ['10.0.0.5', '192.0.2.5']],
  ['an address that OpenNebula does not know', { NIC: nic() }, []],
  ['one of two that it does not know', { NIC: [nic('10.0.0.5'), nic()] }, []],
  ['an empty address', { NIC: [nic('10.0.0.5'), nic('')] }, []],
  ['an empty external address', { NIC: nic('10.0.0.5', { EXTERNAL_IP: '' }) }, ['10.0.0.5']],
  ['no interface', { NIC: [] }, []],
  ['nonsense', { NIC: 'eth0' }, []],
  ['no description', undefined, []],
])('addresses of a VM with %s', (_, TEMPLATE, addresses) => {
  const node = { vm_info: { VM: { ID: '12', NAME: 'copilot', TEMPLATE, USER_TEMPLATE: serving } } }
  expect(found(service(node), now)).toMatchObject([{ addresses }])
})

it.each<[string[], string[], string | undefined]>([
  [['10.0.0.5'], ['10.0.0.5', '192.0.2.5'], '10.0.0.5'],
  [['2001:db8::5', '192.0.2.5'], ['10.0.0.5', '192.0.2.5'], '192.0.2.5'],
  [['203.0.113.1'], ['10.0.0.5'], undefined],
  [['2001:db8::5'], ['10.0.0.5'], undefined],
  [['203.0.113.1', '203.0.113.2'], [], '203.0.113.1'],
  [[], ['10.0.0.5'], undefined],
])('of %j, a VM with %j is reached at %s', (addresses, own, address) => {
  expect(ownAddress(addresses, { addresses: own })).toBe(address)
})
