import { describe, expect, it } from 'vitest'
import { endpointsOf, endpointUrl, hostAndPort, namesOf } from '../../../lib/appliance/names.ts'

const reachable = { hostname: 'Copilot', addresses: ['2001:db8::7', '192.0.2.7', '198.51.100.7'] }

it.each([
  [undefined, ['copilot', 'localhost']],
  ['copilot.example.com', ['copilot.example.com', 'copilot', 'localhost']],
  // A certificate names each once.
  ['copilot', ['copilot', 'localhost']],
])('a certificate with the domain %s is for the names %j', (domain, dns) => {
  expect(namesOf(reachable, domain)).toEqual({
    dns,
    ip: ['192.0.2.7', '198.51.100.7', '2001:db8::7', '127.0.0.1', '::1'],
  })
})

it.each([
  [undefined, ['192.0.2.7', '198.51.100.7', '2001:db8::7', 'Copilot']],
  ['copilot.example.com', ['copilot.example.com', '192.0.2.7', '198.51.100.7', '2001:db8::7', 'Copilot']],
  ['Copilot', ['Copilot', '192.0.2.7', '198.51.100.7', '2001:db8::7']],
])('people with the domain %s are shown %j', (domain, endpoints) => {
  expect(endpointsOf(reachable, domain)).toEqual(endpoints)
})

it('people are shown the floating addresses of a router instead of its own', () => {
  expect(endpointsOf(reachable, 'copilot.example.com', ['192.0.2.100'])).toEqual([
    'copilot.example.com',
    '192.0.2.100',
  ])
})

describe('the base URL', () => {
  it.each([
    ['copilot.example.com', 'https://copilot.example.com/v1'],
    ['copilot.example.com:8443', 'https://copilot.example.com:8443/v1'],
    ['192.0.2.7', 'https://192.0.2.7/v1'],
    ['2001:db8::7', 'https://[2001:db8::7]/v1'],
    ['::1', 'https://[::1]/v1'],
    ['[2001:db8::7]:8443', 'https://[2001:db8::7]:8443/v1'],
  ])('at %s is %s', (endpoint, url) => {
    expect(endpointUrl(endpoint)).toBe(url)
  })
})

it.each([
  ['https://copilot.example.com/v1', 'copilot.example.com', 443],
  ['https://192.0.2.7:8443', '192.0.2.7', 8443],
  ['https://[2001:db8::7]/v1', '2001:db8::7', 443],
  ['https://[2001:db8::7]:8443/v1', '2001:db8::7', 8443],
])('connects for %s to %s, port %d', (url, host, port) => {
  expect(hostAndPort(new URL(url))).toEqual({ host, port })
})
