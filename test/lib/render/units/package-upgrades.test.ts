/** What packages are not allowed to do to nginx, by the script that invoke-rc.d and deb-systemd-invoke ask. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { paths } from '../../../../lib/appliance/paths.ts'
import { packageUpgradeFiles } from '../../../../lib/render/units/package-upgrades.ts'

it.each<[string[], number]>([
  [['nginx.service', 'restart'], 101],
  [['nginx', 'restart', '5'], 101],
  [['--quiet', 'nginx', 'force-reload', '5'], 101],
  [['nginx', '(restart)', '5'], 0],
  [['nginx', 'upgrade', '5'], 0],
  [['nginx', 'rotate', '5'], 0],
  [['nginx.service', 'start'], 0],
  [['nginx.service', 'stop'], 0],
  [['ssh.service', 'restart'], 0],
  [[], 0],
])('%o: %i', (args, code) => {
  const policy = packageUpgradeFiles().find(({ path }) => path === paths.packagePolicy)
  expect(spawnSync('sh', ['-s', '--', ...args], { input: policy?.text })).toMatchObject({ status: code })
})
