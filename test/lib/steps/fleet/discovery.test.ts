import { expect, it } from 'vitest'
import { copilotsOfService, namedCopilots } from '../../../../lib/steps/fleet/discovery.ts'
import type { HttpRequest } from '../../../../lib/system/http.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const props = '{"default_generation_settings":{"n_ctx":32768},"total_slots":2}'
const models = '{"data":[{"id":"devstral-small-2"}]}'

/** `localhost`, whose certificate a public CA has issued, answers this. */
const asked = (status: number, propsBody: string, modelsBody = models, services?: string) => {
  const http = async ({ url }: HttpRequest) => ({
    status,
    headers: services === undefined ? {} : { 'x-copilot-fleet-services': services },
    body: url.endsWith('/props') ? propsBody : modelsBody,
    arrivals: [],
  })
  return namedCopilots(recordedHost({ http }), [{ host: 'localhost', port: 443 }], 'key-of-the-fleet-1')
}

it('a copilot named by hand describes itself', async () => {
  const { copilots, problems } = await asked(200, props)
  expect(problems.size).toBe(0)
  expect(copilots).toMatchObject([
    { name: 'localhost', model: 'devstral-small-2', contextSize: 32_768, slots: 2 },
  ])
})

it.each([
  ['completion=infill embeddings=vectors', { completion: 'infill', embeddings: 'vectors' }],
  ['none', {}],
  [undefined, undefined],
])('its services are those that it states: %s', async (stated, services) => {
  const { copilots } = await asked(200, props, models, stated)
  expect(copilots[0]?.services).toEqual(services)
})

it.each([
  ['refuses the key', 401, '', models, /refuses the fleet's key.*ONEAPP_COPILOT_FLEET_KEY/],
  ['is loading', 503, '', models, /it answered 503 at \/props/],
  ['answers a page', 200, '<html>', models, /its answer at \/props is not that of a copilot/],
  ['answers null', 200, 'null', models, /its answer at \/props is not that of a copilot/],
  ['has no model', 200, props, '{"data":[]}', /its answer at \/v1\/models is not that of a copilot/],
])('one that %s is left out, with the reason', async (_, status, propsBody, modelsBody, reason) => {
  const { copilots, problems } = await asked(status, propsBody, modelsBody)
  expect(copilots).toEqual([])
  expect(problems.get('localhost')).toMatch(reason)
})

const oneGate = { ONEGATE_ENDPOINT: 'http://onegate', TOKENTXT: 'token', VMID: '1' }
const node = (id: string, host: string, IP: string) => ({
  vm_info: {
    VM: {
      ID: id,
      NAME: 'vm',
      TEMPLATE: { NIC: { IP } },
      USER_TEMPLATE: {
        ONEAPP_COPILOT_API: `https://${host}/v1`,
        ONEAPP_COPILOT_CA: Buffer.from(
          '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
        ).toString('base64'),
        ONEAPP_COPILOT_SLOTS: '2',
        ONEAPP_COPILOT_SERVED_CONTEXT: '4096',
      },
    },
  },
})

it('a VM of the service is taken only at an address that OpenNebula has given to it', async () => {
  const nodes = [
    node('1', '10.0.0.1', '10.0.0.1'),
    node('2', '203.0.113.1', '10.0.0.2'),
    // Another's address.
    node('3', '10.0.0.1', '10.0.0.3'),
    node('4', 'localhost', '127.0.0.1'),
    node('5', 'localhost', '10.0.0.5'),
  ]
  const body = JSON.stringify({ SERVICE: { roles: [{ nodes }] } })
  const http = async () => ({ status: 200, headers: {}, body, arrivals: [] })
  const { copilots, problems } = await copilotsOfService(recordedHost({ http }), oneGate)
  expect(copilots.map(({ name, host }) => [name, host])).toEqual([
    ['vm-1', '10.0.0.1'],
    ['vm-4', '127.0.0.1'],
  ])
  expect([...problems.keys()]).toEqual(['vm-2', 'vm-3', 'vm-5'])
  expect(problems.get('vm-2')).toBe(
    'it publishes 203.0.113.1, which OpenNebula has not given to this VM (10.0.0.2). If a NAT leads there, name it in ONEAPP_COPILOT_BACKENDS',
  )
})
