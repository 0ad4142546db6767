import { expect, it } from 'vitest'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { paths, units } from '../../lib/appliance/paths.ts'
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { routerUnit } from '../../lib/render/fleet/haproxy.ts'
import type { HttpRequest } from '../../lib/system/http.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { answering, shell } from '../../lib/system/shell.ts'
import { writeState } from '../../lib/system/state-files.ts'
import { bootstrapAndFetch } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { tinyModel } from '../support/capacity.ts'
import { facts } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

it.each([
  [2 ** 20, false],
  [64 * GiB, true],
])('with %i bytes of anonymous memory, warns of more than planned: %s', async (anonymous, isTooMuch) => {
  const warnings: string[] = []
  const log = { info: () => {}, warn: (line: string) => void warnings.push(line), error: () => {} }
  const host = await servingHost({ log }, tinyModel, anonymous)
  await configure(host)
  await bootstrapAndFetch(host, paths.report)
  expect(warnings.some(line => line.includes('more than planned'))).toBe(isTooMuch)
  expect(host.commands.at(-1)).toBe(`systemctl stop --no-block ${units.model}`)
})

it('runs without llama-server while the only model that fits is pending: fetches it, and fails', async () => {
  const env = { ONEAPP_COPILOT_MODEL: 'qwen2.5-coder-3b' }
  const small = () => ({ ...facts, memory: 8 * GiB })
  const host = await servingHost({ env, facts: small }, productionRelease.model)
  await configure(host)
  host.commands.length = 0
  await expect(bootstrapAndFetch(host, paths.report)).rejects.toThrow(
    /^qwen2\.5-coder-3b is not in the image, .*: nothing is served .* To see the progress: slm-copilot status$/,
  )
  const changing = host.commands.filter(command => /^systemctl (?!show)/.test(command))
  expect(changing).toContain(`systemctl restart ${units.admission}`)
  expect(changing).toContain(`systemctl restart ${units.nginx}`)
  expect(changing.filter(command => command.endsWith(` ${units.llama}`))).toEqual([
    `systemctl disable --now --quiet ${units.llama}`,
  ])
  expect(changing.at(-1)).toBe(`systemctl restart --no-block ${units.model}`)
  expect(host.files.read(paths.report)).toContain('stopped: no model to serve')
})

it.each([
  ['finds no copilot', 0, /The fleet is not fully known: OneGate answered 500 at \/service\./],
  ['cannot look', 1, /The copilots of the fleet could not be looked up.*journalctl -u slm-copilot-backends/],
])('a router that %s says why in its report, and is ready', async (_, exitCode, note) => {
  const router = { ONEAPP_COPILOT_ROLE: 'router', ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-1' }
  const host = await servingHost({ env: router }, tinyModel)
  const answers = (command: string) => ({
    exitCode: command === `systemctl start ${units.backends}` ? exitCode : 0,
    stdout: command.includes(' show ') ? 'ActiveState=active\n' : '',
    stderr: '',
  })
  const $ = shell(answering(answers))
  await configure(host)
  await applyFiles(host, [routerUnit()])
  writeState(host, stateFiles.fleet, { copilots: [], problem: 'OneGate answered 500 at /service' })
  await bootstrapAndFetch({ ...host, $, query: $ }, paths.report)
  expect(host.files.read(paths.report)).toMatch(note)
})

it('reloads nginx again if a stage failed after its reload, and the context before that comes back', async () => {
  const host = await servingHost({}, tinyModel)
  const reloads = () => host.commands.filter(command => command === `systemctl reload ${units.nginx}`).length
  const runStages = async (password: string, overrides = {}) => {
    const changed = { ...host, env: { ONEAPP_COPILOT_PASSWORD: password }, ...overrides }
    await configure(changed)
    host.commands.length = 0
    await bootstrapAndFetch(changed, paths.report)
  }
  await runStages('password-before')
  const refusing = async (request: HttpRequest) => ({
    ...(await host.http(request)),
    ...(request.url.endsWith('/v1/models') && { status: 500 }),
  })
  await expect(runStages('password-refused', { http: refusing })).rejects.toThrow(/Smoke test failed/)
  expect(reloads()).toBe(1)
  await runStages('password-before')
  expect(reloads()).toBe(1)
  await runStages('password-before')
  expect(reloads()).toBe(0)
})
