/** The stages withdraw what OneGate shows before they change anything, and publish once clients are served. */
import { expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { readPublication } from '../../lib/steps/onegate.ts'
import type { HttpRequest } from '../../lib/system/http.ts'
import { bootstrapAndFetch } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { tinyModel } from '../support/capacity.ts'
import { servingHost } from '../support/serving-host.ts'

const context = `export TOKENTXT="secret"\nexport VMID="7"\nexport ONEGATE_ENDPOINT="http://192.0.2.1:5030"\n`
const isUpdate = (command: string) => command.startsWith('curl ')

const hostWithOneGate = async (overrides = {}) => {
  const host = await servingHost(overrides, tinyModel)
  host.files.replace(paths.contextFile, context, 0o400)
  return host
}

it('configure withdraws before its first command, bootstrap publishes after its last', async () => {
  const host = await hostWithOneGate()
  await configure(host)
  expect(host.commands.filter(isUpdate).length).toBe(1)
  expect(isUpdate(host.commands[0] ?? '')).toBe(true)
  expect(readPublication(host)?.attributes).toBeUndefined()

  host.commands.length = 0
  await bootstrapAndFetch(host, paths.report)
  expect(readPublication(host)?.attributes).toMatchObject({
    ONEAPP_COPILOT_API: 'https://192.0.2.7/v1',
    ONEAPP_COPILOT_SERVED_MODEL: tinyModel.name,
  })
  const update = host.commands.findIndex(isUpdate)
  expect(host.commands.slice(update).map(command => command.split(' ')[0])).toEqual([
    'curl',
    'systemctl',
    'systemctl',
  ])
  expect(host.commands.join()).not.toContain('secret')
})

/** llama-server answers at its socket, the edge proxy with an error. */
const broken = async ({ socket }: HttpRequest) => {
  return { status: socket === undefined ? 500 : 200, headers: {}, body: '', arrivals: [] }
}

it.each([
  ['the context is invalid', { env: { ONEAPP_COPILOT_THREADS: 'many' } }],
  ['clients are not served', { http: broken }],
])('publishes nothing if %s', async (_, overrides) => {
  const host = await hostWithOneGate()
  await configure(host)
  await bootstrapAndFetch(host, paths.report)
  const changed = { ...host, ...overrides }
  await expect(configure(changed).then(() => bootstrapAndFetch(changed, paths.report))).rejects.toThrow()
  expect(readPublication(host)?.attributes).toBeUndefined()
})
