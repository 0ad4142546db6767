/** `slm-copilot doctor` on a configured machine, with one fault in each row. */
import { expect, it } from 'vitest'
import { paths, units } from '../../../lib/appliance/paths.ts'
import { installedRelease } from '../../../lib/steps/models/release.ts'
import type { Host } from '../../../lib/system/host.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { answering, type Output, shell } from '../../../lib/system/shell.ts'
import { doctor } from '../../../lifecycle/cli/doctor.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { releaseFiles } from '../../../lifecycle/install.ts'
import { tinyModel } from '../../support/capacity.ts'
import { facts } from '../../support/recorded-host.ts'
import { servingHost } from '../../support/serving-host.ts'

const sockets = ['80', '443']
  .map(port => `LISTEN 0 511 0.0.0.0:${port} 0.0.0.0:* users:(("nginx",pid=1,fd=5))`)
  .join('\n')

/** What the programs print on a healthy machine. */
const healthy: [command: RegExp, output: Partial<Output>][] = [
  [/^chronyc /, { stdout: 'Leap status     : Normal\n' }],
  [/^ss /, { stdout: sockets }],
  [/^systemctl show .*Id,/, { stdout: `Id=${units.llama}\nDropInPaths=\nNeedDaemonReload=no\n` }],
  [/^systemctl show/, { stdout: 'ActiveState=active\nMainPID=42\n' }],
]

type Fault = {
  /** The context; configure has seen it only if `isApplied`. */
  env?: Record<string, string>
  isApplied?: boolean
  outputs?: typeof healthy
  host?: Partial<Host>
  act?: (host: Host) => void
}

async function diagnosis({
  env = {},
  isApplied = false,
  outputs = [],
  host: overrides = {},
  act = () => {},
}: Fault) {
  const host = await servingHost(
    { http: async () => ({ status: 200, headers: {}, body: '', arrivals: [] }), ...overrides },
    tinyModel,
  )
  await applyFiles(host, releaseFiles(host, installedRelease(host)))
  await configure(isApplied ? { ...host, env } : host)
  const status = 'Name:\tllama-server\nRssAnon:\t     100 kB\nRssFile:\t     100 kB\nRssShmem:\t 0 kB\n'
  host.files.replace('/proc/42/status', status, 0o644)
  for (const folder of [paths.socketFolder, paths.admissionFolder]) host.files.makeFolder(folder, 0o750)
  for (const socket of [paths.socket, paths.admissionSocket]) host.files.replace(socket, '', 0o660)
  const context = Object.entries(env).map(([name, value]) => `${name}=${value}\n`)
  host.files.replace(paths.contextFile, context.join(''), 0o600)
  host.files.replace(paths.accessLog, '', 0o640)
  host.files.makeFolder('/var/log', 0o755)
  act(host)
  const query = shell(
    answering(command => {
      const [, output] = [...outputs, ...healthy].find(([pattern]) => pattern.test(command)) ?? []
      return { exitCode: 0, stdout: '', stderr: '', ...output }
    }),
  )
  let text = ''
  const isHealthy = await doctor({ ...host, query }, part => {
    text += part
  })
  return { text, isHealthy }
}

it('finds nothing on a healthy machine, in lines of at most 80 columns', async () => {
  const { text, isHealthy } = await diagnosis({})
  expect(text).toMatch(/\n\d+ checks, 0 problems, 0 warnings\.\n$/)
  expect(isHealthy).toBe(true)
  expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})

it.each<[string, Fault, boolean, RegExp]>([
  [
    'no AVX2',
    { host: { facts: () => ({ ...facts, cpu: { model: 'QEMU Virtual CPU', features: [] } }) } },
    false,
    /^problem +CPU: .*no AVX2.*host-passthrough/s,
  ],
  [
    'an invalid context',
    { env: { ONEAPP_COPILOT_CONTEXT_SIZE: 'many' } },
    false,
    /^problem +context:\s+.*ONEAPP_COPILOT_CONTEXT_SIZE/ms,
  ],
  [
    'a misspelt variable',
    { env: { ONEAPP_COPILOT_PASSWORDS: 'secret-secret' }, isApplied: true },
    true,
    /^warning +context: .*ONEAPP_COPILOT_PASSWORD/ms,
  ],
  [
    'a context that is not applied',
    { env: { ONEAPP_COPILOT_PARALLEL: '1' } },
    false,
    /^problem +configured files: .*plan\.json.*slm-copilot configure/ms,
  ],
  [
    'a changed mode',
    {
      act: host =>
        host.files.replace(paths.edgeConfiguration, host.files.read(paths.edgeConfiguration) ?? '', 0o644),
    },
    false,
    /^problem +configured files:\s+missing or changed:\n? +\/etc\/nginx\/slm-copilot\.conf/m,
  ],
  [
    'a removed unit',
    { act: host => host.files.remove(paths.watchdogTimer) },
    false,
    /^problem +installed files: .*watchdog\.timer.*slm-copilot install/ms,
  ],
  [
    'a failed unit',
    { outputs: [[/^systemctl list-units/, { stdout: 'nginx.service loaded failed failed nginx\n' }]] },
    false,
    /^problem +failed units:\s+nginx\.service\n.*systemctl status nginx\.service/ms,
  ],
  [
    'a foreign drop-in',
    {
      outputs: [
        [/^systemctl show .*Id,/, { stdout: 'Id=a\nDropInPaths=/etc/x.conf\nNeedDaemonReload=no\n' }],
      ],
    },
    true,
    /^warning +unit settings:\s+changed by \/etc\/x\.conf/m,
  ],
  [
    'a broken nginx configuration',
    { outputs: [[/^nginx -t/, { exitCode: 1, stderr: 'unexpected "}"' }]] },
    false,
    /^problem +nginx configuration:\s+unexpected "}"/m,
  ],
  [
    'a socket that is gone',
    { act: host => host.files.remove(paths.socket) },
    false,
    /^problem +sockets: .*llama\.sock/ms,
  ],
  [
    'a socket that others can reach',
    { act: host => host.files.makeFolder(paths.admissionFolder, 0o755) },
    false,
    /^problem +sockets:\s+\/run\/slm-copilot-admission is open to others/m,
  ],
  [
    'another server on 443',
    { outputs: [[/^ss /, { stdout: sockets.replace(/nginx(?=[^\n]*$)/, 'apache2') }]] },
    false,
    /^problem +ports:\s+apache2 listens on 443/m,
  ],
  [
    'a clock that nobody sets',
    { outputs: [[/^chronyc /, { stdout: 'Leap status : Not synchronised\n' }]] },
    true,
    /^warning +clock: /m,
  ],
  [
    "the hypervisor's clock",
    { outputs: [[/^chronyc /, { stdout: 'Reference ID    : 50484330 (PHC0)\nLeap status     : Normal\n' }]] },
    true,
    /^ok +clock: .*, set by the hypervisor's clock/m,
  ],
  [
    'an NTP server',
    {
      outputs: [
        [/^chronyc /, { stdout: 'Reference ID    : C0000201 (192.0.2.1)\nLeap status     : Normal\n' }],
      ],
    },
    true,
    /^ok +clock: .*, set by 192\.0\.2\.1/m,
  ],
  [
    'a service that does not answer',
    { host: { http: () => Promise.reject(new Error('connection refused')) } },
    false,
    /^problem +service:\s+nginx\.service did not answer/m,
  ],
  [
    'a damaged plan',
    { act: host => host.files.replace(paths.plan, '{', 0o640) },
    false,
    /^problem +threads: .*plan\.json.*^skipped +memory: cannot be checked, for the same reason\s+as threads$/ms,
  ],
])('%s', async (_, fault, isHealthy, seen) => {
  const { text, isHealthy: found } = await diagnosis(fault)
  expect(text).toMatch(seen)
  expect(found).toBe(isHealthy)
})
