/** Checks of the context, the files that the appliance manages, and its services. */

import { unknownNameNotes } from '../../../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../../../lib/appliance/context/variables.ts'
import { noted, ok, problem, skipped } from '../../../lib/appliance/diagnosis/finding.ts'
import { refusalsFinding } from '../../../lib/appliance/diagnosis/requests.ts'
import {
  dropInsFinding,
  failedUnitsFinding,
  filesFinding,
  parseUnitSettings,
} from '../../../lib/appliance/diagnosis/services.ts'
import { modelServices, paths, units } from '../../../lib/appliance/paths.ts'
import { planNotes } from '../../../lib/appliance/plan.ts'
import { fleetProblem } from '../../../lib/steps/fleet/router.ts'
import { installedRelease } from '../../../lib/steps/models/release.ts'
import { passwordInForce } from '../../../lib/steps/password.ts'
import { readPlan } from '../../../lib/steps/plan.ts'
import { serviceProblem } from '../../../lib/steps/services/check.ts'
import { readCa } from '../../../lib/steps/tls/certificates.ts'
import { ownTrust } from '../../../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../../../lib/steps/tls/installed-pairs.ts'
import { requestsOfLastHour } from '../../../lib/steps/usage/request-log.ts'
import { type Host, readOnly } from '../../../lib/system/host.ts'
import { changesOf } from '../../../lib/system/managed-files.ts'
import { readRequest } from '../../configuration.ts'
import { desiredFiles } from '../../configure.ts'
import { readContext } from '../../environment.ts'
import { releaseFiles } from '../../install.ts'
import type { DoctorCheck } from './check.ts'

/** The host as configure sees it, except that nothing can be changed. */
const asConfigured = (host: Host): Host => ({
  ...readOnly(host),
  env: readContext(host),
})

const differing = (host: Host, files: Parameters<typeof changesOf>[1]) =>
  changesOf(host, files)
    .filter(({ outcome }) => outcome !== 'unchanged')
    .map(({ path }) => path)

/** The units that must run, or end without failure. */
const ownUnits = [
  ...new Set([...Object.values(units), ...Object.values(modelServices).map(({ unit }) => unit)]),
]

const ownDropIns = [
  ...Object.values(modelServices).map(({ memoryDropIn }) => memoryDropIn),
  paths.nginxDropIn,
  paths.certbotDropIn,
  paths.chronyDropIn,
]

export const serviceChecks: DoctorCheck[] = [
  {
    name: 'context',
    expected: 'known variables with valid values',
    run: async host => {
      const configured = asConfigured(host)
      const { env } = configured
      await readRequest(configured)
      return noted(
        'warning',
        unknownNameNotes(env, variableNames),
        `${Object.keys(env).filter(isOurs).length} variables set`,
      )
    },
  },
  {
    name: 'plan',
    expected: 'a model is served, with nothing to note',
    run: host => {
      const plan = readPlan(host)
      if (!('capacity' in plan)) return { state: 'problem', seen: planNotes(plan).join(' ') }
      return noted('warning', planNotes(plan), plan.capacity.model.name)
    },
  },
  {
    name: 'installed files',
    expected: 'as the release has them',
    run: host => {
      const files = releaseFiles(host, installedRelease(host))
      return filesFinding(files.length, differing(host, files), 'slm-copilot install')
    },
  },
  {
    name: 'configured files',
    expected: 'as the context requires',
    run: async host => {
      const files = await desiredFiles(asConfigured(host))
      return filesFinding(files.length, differing(host, files))
    },
  },
  {
    name: 'unit settings',
    expected: 'no drop-ins by others, and nothing to reload',
    run: async host => {
      const properties = '--property=Id,DropInPaths,NeedDaemonReload'
      const { stdout } = await host.query`systemctl show ${properties} ${ownUnits}`
      return dropInsFinding(parseUnitSettings(stdout), ownDropIns)
    },
  },
  {
    name: 'failed units',
    expected: 'none',
    run: async host => {
      const { stdout } = await host.query`systemctl list-units --failed --plain --no-legend`
      const failed = stdout.split('\n').flatMap(line => line.split(' ')[0] || [])
      return failedUnitsFinding(failed, ownUnits)
    },
  },
  {
    name: 'nginx configuration',
    expected: 'accepted by nginx -t',
    run: async host => {
      const { exitCode, stderr } = await host.query`nginx -t -q -c ${paths.edgeConfiguration}`.nothrow()
      return exitCode === 0
        ? ok('accepted')
        : problem(stderr.trim(), `nginx -t -c ${paths.edgeConfiguration}`)
    },
  },
  {
    name: 'sockets',
    expected: 'there, in folders that only their group can enter',
    run: host => {
      const isRouting = readPlan(host).state === 'routing'
      const sockets = [
        ...(isRouting ? [] : [[paths.socketFolder, paths.socket] as const]),
        [paths.admissionFolder, paths.admissionSocket],
      ] as const
      const isOpen = (folder: string) => ((host.files.status(folder)?.mode ?? 0) & 0o007) !== 0
      const wrong = sockets.flatMap(([folder, socket]) => [
        ...(host.files.status(socket) === undefined ? [`${socket} is missing`] : []),
        ...(isOpen(folder) ? [`${folder} is open to others`] : []),
      ])
      if (wrong.length === 0) return ok(sockets.map(([, socket]) => socket).join(', '))
      return problem(
        wrong.join(', '),
        `Wait two minutes: the watchdog restarts a service without its socket. Then: ${isRouting ? `journalctl -u ${units.router}` : `journalctl -u ${units.llama}`}`,
      )
    },
  },
  {
    name: 'service',
    expected: 'answers requests sent the way clients send them',
    run: async host => {
      if (readPlan(host).state === 'routing') {
        const reason = await fleetProblem(host)
        return reason === undefined ? ok('answers') : problem(reason, `journalctl -u ${units.backends}`)
      }
      const trust = await ownTrust(host, readPairInUse(host), readCa(host))
      const found = await serviceProblem(host, { ...trust, key: passwordInForce(host) })
      return found === undefined ? ok('answers') : problem(found, `journalctl -u ${units.llama}`)
    },
  },
  {
    name: 'refusals',
    expected: 'none in the last hour',
    run: async host =>
      host.files.status(paths.accessLog) === undefined
        ? skipped(`${paths.accessLog} is not there`)
        : refusalsFinding(await requestsOfLastHour(host)),
  },
]

const isOurs = (name: string) => name.startsWith('ONEAPP_COPILOT_')
