import { describe, expect, it } from 'vitest'
import { clientConfigurations } from '../../../../lib/render/clients/clients.ts'
import { configurationText } from '../../../../lib/render/clients/configuration.ts'

const values = {
  endpoint: '192.0.2.7',
  model: 'devstral-small-2',
  contextSize: 32_768,
  thoughts: 0,
  companions: {},
  key: 'the-key-of-this-test',
  caFile: '/home/dev/ca.crt',
}
const clients = clientConfigurations(values)

it('gives each client a unique name', () => {
  const names = clients.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  expect(names.join(' ')).toMatch(/^[a-z -]+$/)
})

describe.each(clients)('$name', client => {
  const text = configurationText(client)

  it('contains endpoint, model, key and CA', () => {
    expect(text).toContain('https://192.0.2.7')
    for (const value of [values.model, values.key, values.caFile]) expect(text).toContain(value)
  })

  it('fits into 80 columns', () => {
    expect(text.split('\n').filter(line => line.length > 80)).toEqual([])
  })

  it('contains valid JSON', () => {
    for (const snippet of client.snippets.filter(({ place }) => place.endsWith('.json')))
      expect(() => JSON.parse(snippet.text)).not.toThrow()
  })
})

it.each(clientConfigurations({ ...values, caFile: undefined }))(
  '$name needs no CA if the certificate is public',
  client => {
    expect(configurationText(client)).not.toMatch(/CERT|caBundle|undefined/)
    expect(client.snippets.filter(({ text }) => text === '')).toEqual([])
  },
)

it.each(clients.filter(({ snippets }) => !snippets.some(({ place }) => place.startsWith('a program'))))(
  '$name is configured with the context size',
  client => {
    // aider has separate limits for input and output: three quarters and a quarter.
    expect(configurationText(client)).toMatch(/\b(32768|24576)\b/)
  },
)
