import { describe, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { listBackends } from '../../lifecycle/backends.ts'
import { recordedHost } from '../support/recorded-host.ts'

describe('slm-copilot backends says what to do', () => {
  it('on a copilot', async () => {
    await expect(listBackends(recordedHost())).rejects.toThrow(
      /^This VM is not a router\. .*ONEAPP_COPILOT_ROLE=router/,
    )
  })

  it('while HAProxy does not run', async () => {
    const host = recordedHost()
    host.files.replaceLink(paths.backendsWanted, paths.backendsTimer)
    await expect(listBackends(host)).rejects.toThrow(
      /^HAProxy does not answer: .*ENOENT.*\. For the reason: journalctl -u slm-copilot-router/,
    )
  })
})
