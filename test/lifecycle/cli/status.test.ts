/** The output of `status` and whether it reports serving, by the states of units and the answers of services. */
import { expect, it, vi } from 'vitest'
import { paths, units } from '../../../lib/appliance/paths.ts'
import type { Host } from '../../../lib/system/host.ts'
import { answering as answeringCommands, shell } from '../../../lib/system/shell.ts'
import { status } from '../../../lifecycle/cli/status.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { tinyModel } from '../../support/capacity.ts'
import { servingHost } from '../../support/serving-host.ts'

const show = (state: string, enabled = 'enabled') =>
  `ActiveState=${state}\nUnitFileState=${enabled}\nInvocationID=first\nMainPID=42\nActiveEnterTimestamp=@1771063200\n`

/** A configured machine with these unit states and HTTP answers. */
async function configured(unitStates: Record<string, string>, http: Host['http']) {
  const host = await servingHost({ http }, tinyModel)
  await configure(host)
  const query = shell(
    answeringCommands(command => {
      const unit = command.split(' ').find(word => word in unitStates) ?? ''
      return { exitCode: 0, stdout: unitStates[unit] ?? show('active'), stderr: '' }
    }),
  )
  return { ...host, query }
}

const answering =
  (code: number): Host['http'] =>
  async () => ({ status: code, headers: {}, body: 'no', arrivals: [] })
const silent: Host['http'] = () => Promise.reject(new Error('connection refused'))

it.each([
  ['serves', {}, answering(200), true, /^SLM-Copilot is serving tiny\./],
  ['serves while all slots are taken', {}, answering(429), true, /^SLM-Copilot is serving tiny\./],
  [
    'shows the error that a client gets',
    {},
    answering(502),
    false,
    /is not serving\.\n\n {2}reason +nginx\.service answered 502/,
  ],
  ['says if there is no answer', {}, silent, false, /nginx\.service did not answer at\s+https:\/\/127/],
  [
    'names a unit that is not running',
    { [units.llama]: show('inactive') },
    answering(502),
    false,
    /slm-copilot\.service is not running\./,
  ],
  [
    'says if a unit will not start at boot',
    { [units.admission]: show('active', 'disabled') },
    answering(200),
    true,
    /active since 2026-02-14T10:00:00Z, not\s+enabled at boot/,
  ],
])('%s', async (_, unitStates, http, serves, says) => {
  const host = await configured(unitStates, http)
  const seen = await status(host)
  expect(seen.text).toMatch(says)
  expect(seen.serves).toBe(serves)
})

it('prefers the reason recorded when llama-server ended', async () => {
  const host = await configured({ [units.llama]: show('inactive') }, answering(503))
  host.files.replace(paths.unavailableReason, 'llama-server ran out of memory.\n', 0o644)
  expect((await status(host)).text).toMatch(/reason +llama-server ran out of memory\./)
})

it('requires root, and a configured machine', async () => {
  const host = await servingHost({}, tinyModel)
  await expect(status(host)).rejects.toThrow(/configure/)
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue(1000)
  await expect(status(host)).rejects.toThrow('must be run as root.')
  getuid.mockRestore()
})
