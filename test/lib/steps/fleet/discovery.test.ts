import { expect, it } from 'vitest'
import { namedCopilots } from '../../../../lib/steps/fleet/discovery.ts'
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
