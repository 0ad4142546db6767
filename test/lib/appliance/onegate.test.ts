/** What is published at OneGate, and under which names. */
import { expect, it } from 'vitest'
import { variableNames } from '../../../lib/appliance/context/variables.ts'
import { drainingName } from '../../../lib/appliance/fleet/attributes.ts'
import {
  accessOf,
  attributesOf,
  drainingPublication,
  oneGateRequest,
  publication,
  publishedNames,
  reportsReady,
  retryAfter,
  withdrawal,
} from '../../../lib/appliance/onegate.ts'
import { capacityFor, tinyModel } from '../../support/capacity.ts'
import { shownAfter } from '../../vm/onegate.ts'

it.each(publishedNames)(
  '%s is not also a context variable, whose value OpenNebula keeps under its name',
  name => {
    expect(variableNames).not.toContain(name)
    expect(name).toMatch(/^ONEAPP_COPILOT_/)
  },
)

const service = {
  endpoints: ['copilot.example.com', '192.0.2.7'],
  capacity: { ...capacityFor(tinyModel), contextSize: 4096, slots: 3 },
  services: { embeddings: 'vectors', completion: 'infill' },
  caFingerprint: 'AB:CD',
  ca: 'PEM\n',
  version: '1.2.3',
}

it.each([
  [['copilot.example.com', '192.0.2.7'], 'https://copilot.example.com/v1'],
  [['192.0.2.7'], 'https://192.0.2.7/v1'],
  [['2001:db8::7'], 'https://[2001:db8::7]/v1'],
  [[], 'https://localhost/v1'],
])(
  'publishes the preferred endpoint of %j, model, context, slots, services, CA and version',
  (endpoints, url) => {
    expect(attributesOf({ ...service, endpoints })).toEqual({
      ONEAPP_COPILOT_API: url,
      ONEAPP_COPILOT_SERVED_MODEL: tinyModel.name,
      ONEAPP_COPILOT_SERVED_CONTEXT: '4096',
      ONEAPP_COPILOT_SLOTS: '3',
      ONEAPP_COPILOT_SERVICES: 'completion=infill embeddings=vectors',
      ONEAPP_COPILOT_CA_FINGERPRINT: 'AB:CD',
      ONEAPP_COPILOT_CA: 'UEVNCg==',
      ONEAPP_COPILOT_VERSION: '1.2.3',
    })
  },
)

it('publishes neither model nor services of a router', () => {
  expect(attributesOf({ ...service, capacity: undefined })).toEqual({
    ONEAPP_COPILOT_API: 'https://copilot.example.com/v1',
    ONEAPP_COPILOT_CA_FINGERPRINT: 'AB:CD',
    ONEAPP_COPILOT_CA: 'UEVNCg==',
    ONEAPP_COPILOT_VERSION: '1.2.3',
  })
})

it('publishes that there are no services beside chat', () => {
  expect(attributesOf({ ...service, services: {} }).ONEAPP_COPILOT_SERVICES).toBe('none')
})

const shows = (...texts: string[]) => shownAfter(texts.map(data => ({ token: '', vmId: '', data })))

it('sets READY only if the context asks for it, and clears everything in one update', () => {
  const attributes: Record<string, string> = { ...attributesOf(service), [drainingName]: '' }
  expect(shows(publication(attributesOf(service), false))).toEqual(attributes)
  expect(shows(publication(attributesOf(service), true))).toEqual({ ...attributes, READY: 'YES' })
  expect(shows(publication(attributes, true), drainingPublication(attributes))).toEqual({
    ...attributes,
    [drainingName]: 'YES',
    READY: 'NO',
  })
  const cleared = shows(publication(attributes, true), withdrawal())
  expect(cleared).toEqual({ ...Object.fromEntries(publishedNames.map(name => [name, ''])), READY: 'NO' })
})

it('escapes quotes and backslashes', () => {
  expect(publication({ ...attributesOf(service), ONEAPP_COPILOT_VERSION: 'a"b\\c' }, false)).toContain(
    'ONEAPP_COPILOT_VERSION="a\\"b\\\\c"',
  )
})

it.each([
  [{ REPORT_READY: 'YES' }, true],
  [{ REPORT_READY: 'NO' }, false],
  [{}, false],
])('%j: READY is reported: %s', (context, does) => {
  expect(reportsReady(context as Record<string, string>)).toBe(does)
})

it.each([
  [1, 15],
  [2, 30],
  [6, 480],
  [7, 600],
  [1000, 600],
])('after %i failed updates it waits %i s', (failures, seconds) => {
  expect(retryAfter(failures)).toBe(seconds)
})

const endpoint = 'http://192.0.2.1:5030'

it.each([
  [
    { ONEGATE_ENDPOINT: endpoint, TOKENTXT: 't', VMID: '7' },
    { endpoint, token: 't', vmId: '7' },
  ],
  [{ ONEGATE_ENDPOINT: endpoint, TOKENTXT: '', VMID: '7' }, undefined],
  [{ ONEGATE_ENDPOINT: '', TOKENTXT: 't', VMID: '7' }, undefined],
  [{ ONEGATE_ENDPOINT: endpoint, VMID: '7' }, undefined],
  [{ TOKENTXT: 't', VMID: '7' }, undefined],
  [{}, undefined],
])('%j gives access: %j', (context, access) => {
  expect(accessOf(context as Record<string, string>)).toEqual(access)
})

it.each([endpoint, `${endpoint}/`, `${endpoint}//`])('asks OneGate at %s as this VM', given => {
  expect(oneGateRequest({ endpoint: given, token: 't', vmId: '7' }, '/vm')).toEqual({
    url: 'http://192.0.2.1:5030/vm',
    headers: { 'X-ONEGATE-TOKEN': 't', 'X-ONEGATE-VMID': '7' },
  })
})

it('keeps the path of an endpoint behind a proxy', () => {
  const access = { endpoint: 'https://cloud.example.com//gate', token: 't', vmId: '7' }
  expect(oneGateRequest(access, '/service').url).toBe('https://cloud.example.com//gate/service')
})
