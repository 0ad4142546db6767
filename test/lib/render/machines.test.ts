/**
 * Every file that is rendered for four machines, compared with test/lib/render/machines/, where each file lies under its
 * path. A machine's folder has only the files that differ from the first machine's. After an intended change, `npx vitest
 * run --project unit -u` writes them anew: read the difference.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Copilot } from '../../../lib/appliance/fleet/fleet.ts'
import { routerCapacity } from '../../../lib/appliance/fleet/router-capacity.ts'
import { catalogue, templateNames } from '../../../lib/appliance/models/catalogue.ts'
import { companionCatalogue } from '../../../lib/appliance/models/companions.ts'
import { paths, templatePath } from '../../../lib/appliance/paths.ts'
import { defaultDrainLimit } from '../../../lib/appliance/services/drain.ts'
import { planCapacity } from '../../../lib/appliance/sizing/capacity.ts'
import { companionCapacity } from '../../../lib/appliance/sizing/companions.ts'
import { GiB } from '../../../lib/appliance/sizing/memory.ts'
import { memoryInVm } from '../../../lib/appliance/sizing/smallest-vm.ts'
import type { TlsSummary } from '../../../lib/appliance/tls/certificates.ts'
import type { Order } from '../../../lib/appliance/tls/lets-encrypt.ts'
import { floatingConfiguration, floatingIpUnit } from '../../../lib/render/fleet/floating-ip.ts'
import { routerUnit } from '../../../lib/render/fleet/haproxy.ts'
import { fleetModels } from '../../../lib/render/fleet/models.ts'
import { nginxFiles, routerFiles } from '../../../lib/render/nginx/files.ts'
import { hstsFile } from '../../../lib/render/nginx/hsts.ts'
import { siteFor } from '../../../lib/render/nginx/site.ts'
import { landingPagePolicy, landingPage as pageFor } from '../../../lib/render/page/landing-page.ts'
import { loginBanner, type Report, reportFile } from '../../../lib/render/text/report.ts'
import { certbotDropIn, deployHook } from '../../../lib/render/tls/lets-encrypt.ts'
import { backendsUnits } from '../../../lib/render/units/backends.ts'
import { clockEpoch, clockFiles, type TimeSources } from '../../../lib/render/units/clock.ts'
import { companionFiles, companionUnits } from '../../../lib/render/units/companions.ts'
import { disksUnits, disksWanted } from '../../../lib/render/units/disks.ts'
import { drainUnit } from '../../../lib/render/units/drain.ts'
import { companionFetchUnit, modelUnit } from '../../../lib/render/units/fetch-model.ts'
import { llamaFiles } from '../../../lib/render/units/llama-files.ts'
import {
  hourlyRotation,
  journalLimits,
  logFiles,
  logRotation,
} from '../../../lib/render/units/log-rotation.ts'
import { metricsUnits } from '../../../lib/render/units/metrics.ts'
import { packageUpgradeFiles } from '../../../lib/render/units/package-upgrades.ts'
import { readinessUnits } from '../../../lib/render/units/readiness.ts'
import { reconfigureUnits } from '../../../lib/render/units/reconfigure.ts'
import { renewalUnits } from '../../../lib/render/units/renewal.ts'
import { securityUpdateFiles } from '../../../lib/render/units/security-updates.ts'
import { debianSyslog, syslogFiles, syslogUnit } from '../../../lib/render/units/syslog.ts'
import { upgradeUnits } from '../../../lib/render/units/upgrade.ts'
import { watchdogUnits } from '../../../lib/render/units/watchdog.ts'
import { plainContext } from '../../support/site.ts'

const expected = join(import.meta.dirname, 'machines')

type RenderedFile = { path: string; mode?: number; text?: string; link?: string; absent?: boolean }

type MachineFacts = {
  model: keyof typeof catalogue
  gibibytes: number
  persistsPromptCache: boolean
  context: Parameters<typeof siteFor>[0]['context']
  updatesItself: boolean
  hasIpv6: boolean
  nginxVersion: string
  order: Order | undefined
  timeSources: TimeSources
  syslog: Parameters<typeof syslogFiles>[0]
  /** The services beside chat, all of whose models are there but the last. */
  companions: (keyof typeof companionCatalogue)[]
  /** On a router: those that it knows. */
  copilots?: Copilot[]
  report: Omit<Report, 'capacity' | 'companions' | 'password'>
}

const tls: TlsSummary = {
  mode: 'private',
  names: ['192.0.2.7'],
  ends: '2027-02-14',
  isPublic: false,
  caFingerprint: Array.from({ length: 32 }, (_, index) => (index + 160).toString(16).toUpperCase()).join(':'),
}

const services = [
  { unit: 'slm-copilot.service', state: 'active, enabled at boot' },
  { unit: 'nginx.service', state: 'active, enabled at boot' },
]

const first: MachineFacts = {
  model: 'devstral-small-2',
  gibibytes: 32,
  persistsPromptCache: false,
  context: plainContext,
  updatesItself: false,
  hasIpv6: false,
  nginxVersion: 'nginx version: nginx/1.22.1',
  order: undefined,
  timeSources: { servers: [], byDhcp: ['192.0.2.1'], hypervisorClock: undefined },
  companions: [],
  syslog: { syslog: undefined, syslogCa: undefined },
  report: { endpoints: ['192.0.2.7'], serves: true, isRouter: false, services, tls, notes: [], remarks: [] },
}

const keys = [
  { name: 'alice', key: 'alices-key-0123', limit: 2 },
  { name: 'bob', key: `bob's "key" {$x};\\` },
]

const copilot: Copilot = {
  name: 'copilot_0-12',
  host: '192.0.2.8',
  port: 443,
  ca: 'A CA\n',
  model: 'devstral-small-2',
  contextSize: 32_768,
  slots: 4,
  version: '0.1.0',
  since: '2026-02-14T10:00:00Z',
}

const machines: Record<string, MachineFacts> = {
  'one-key': first,
  'several-keys': {
    model: 'qwen3-coder-30b-a3b',
    gibibytes: 64,
    persistsPromptCache: true,
    context: { ...plainContext, keys, logFormat: 'json', metricsKey: 'key-of-the-metrics' },
    updatesItself: true,
    hasIpv6: true,
    nginxVersion: 'nginx version: nginx/1.26.3',
    order: {
      domain: 'copilot.example.com',
      server: 'https://acme-v02.api.letsencrypt.org/directory',
      hasCa: false,
    },
    timeSources: {
      servers: ['ntp.example.com', '2001:db8::1'],
      byDhcp: ['192.0.2.1'],
      hypervisorClock: '/dev/ptp0',
    },
    companions: ['qwen2.5-coder-1.5b', 'qwen3-embedding-0.6b', 'qwen3-reranker-0.6b'],
    syslog: { syslog: { host: 'log.example.org', port: 6514 }, syslogCa: 'A CA\n' },
    report: {
      endpoints: ['copilot.example.com', '192.0.2.7', '2001:db8::7'],
      serves: true,
      isRouter: false,
      services,
      tls: { ...tls, mode: 'acme', names: ['copilot.example.com'], isPublic: true },
      speed: { prompt: 123, generation: 7.5 },
      notes: [
        "A note that's long enough to be broken in the login banner, which has no more than 75 columns.",
      ],
      remarks: ['A remark,\nin two lines.'],
    },
  },
  'shared-cache': {
    ...first,
    model: 'gpt-oss-20b',
    context: { ...plainContext, keys: keys.slice(0, 1), sharedCache: true },
    order: { domain: 'copilot.example.org', server: 'https://acme.example.org/directory', hasCa: true },
    report: {
      ...first.report,
      endpoints: ['2001:db8::7', 'copilot.example.org'],
      serves: false,
      services: [{ unit: 'slm-copilot-prompt-cache.service', state: 'not active' }],
      tls: { ...tls, mode: 'acme', names: ['copilot.example.org', 'copilot'] },
      notes: ['It is being downloaded.'],
    },
  },
  router: {
    ...first,
    context: { ...plainContext, role: 'router', keys, fleetKey: 'key-of-the-fleet-1' },
    report: { ...first.report, isRouter: true },
    copilots: [{ ...copilot, name: '<b>"13"', model: 'gpt-oss-20b', version: '' }, copilot],
  },
}

/** Files whose text is a constant of their own: templates, and the bundled programs after a line of settings. */
const constants: string[] = [
  ...templateNames.map(templatePath),
  paths.edgeProgram,
  paths.admissionProgram,
  paths.routerProgram,
]

function filesOf({
  model: name,
  gibibytes,
  report,
  order,
  companions: names,
  copilots,
  ...facts
}: MachineFacts): RenderedFile[] {
  const model = catalogue[name]
  const machine = { cpus: 8, physicalCores: 4, memory: memoryInVm(gibibytes * GiB) }
  const capacity =
    copilots === undefined
      ? planCapacity(machine, model, { contextSize: 32_768, parallel: 'auto', threads: 0 })
      : routerCapacity(model, { contextSize: 32_768 })
  const password = 'the-very-password'
  const planned = names.map((one, index) => ({
    capacity: companionCapacity(machine, companionCatalogue[one]),
    url: companionCatalogue[one].url,
    isInstalled: index < names.length - 1,
  }))
  const companions = planned.map(one => one.capacity.model)
  const site = siteFor({
    ...facts,
    password: { password },
    capacity,
    models: [name, 'default'],
    companions: planned.map(one => one.capacity),
    machine: { ...facts, ...machine },
  })
  const page = pageFor({
    ...report,
    capacity,
    companions,
    cacheSharing: site.cacheSharing,
    ...(copilots && { copilots }),
  })
  return [
    ...(copilots === undefined
      ? [
          ...llamaFiles(capacity, { persistsPromptCache: facts.persistsPromptCache, reusesPrompts: true }),
          ...companionUnits(),
          ...companionFiles(planned),
          ...nginxFiles(site, capacity),
        ]
      : [
          ...routerFiles(site),
          routerUnit(),
          ...backendsUnits(),
          fleetModels(copilots),
          floatingConfiguration([{ address: '192.0.2.100', device: 'eth0' }]),
          ...floatingIpUnit(),
        ]),
    hstsFile(report.tls.isPublic),
    deployHook(),
    certbotDropIn(order),
    clockEpoch(),
    ...clockFiles(facts.timeSources),
    ...syslogFiles(facts.syslog),
    syslogUnit(),
    debianSyslog(),
    modelUnit(),
    companionFetchUnit(),
    ...readinessUnits(),
    ...drainUnit(defaultDrainLimit),
    ...disksUnits(),
    disksWanted,
    ...reconfigureUnits(),
    ...upgradeUnits(),
    ...renewalUnits(),
    ...metricsUnits(),
    ...watchdogUnits(),
    logRotation(),
    hourlyRotation(),
    journalLimits(),
    logFiles(),
    ...packageUpgradeFiles(),
    ...securityUpdateFiles(facts.updatesItself),
    page,
    loginBanner({ ...report, capacity }),
    reportFile(paths.report, { ...report, capacity, companions, password }),
  ].filter(({ path }) => !constants.includes(path))
}

/** Without the page's own style and script, and their digests. */
const shown = (text: string) =>
  text
    .replaceAll(landingPagePolicy, "THE PAGE'S POLICY")
    .replace(/<style>.*<\/style>/s, '<style></style>')
    .replace(/(<script[^>]*>).*<\/script>/s, '$1</script>')

/** A line for each file: its mode, or what it is instead. */
const listOf = (files: RenderedFile[]) =>
  files
    .map(({ path, mode, link, absent }) => {
      if (absent) return `absent ${path}\n`
      return link === undefined ? `0${mode?.toString(8)}   ${path}\n` : `link   ${path} -> ${link}\n`
    })
    .join('')

it.each(Object.keys(machines))('renders the files of the machine %s', async name => {
  const machine = machines[name] ?? first
  const files = filesOf(machine)
  const known = new Map(machine === first ? [] : filesOf(first).map(({ path, text }) => [path, text]))
  const texts = files.flatMap(({ path, text }) =>
    text === undefined || known.get(path) === text ? [] : [{ path: path.slice(1), text: shown(text) }],
  )
  const folder = join(expected, name)
  for (const { path, text } of texts) await expect(text).toMatchFileSnapshot(join(folder, path))
  await expect(listOf(files)).toMatchFileSnapshot(join(folder, 'files.txt'))
  const wanted = ['files.txt', ...texts.map(({ path }) => path)].map(path => join(folder, path))
  const stale = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(path => !wanted.includes(path))
  expect(stale, 'no longer rendered: delete them').toEqual([])
})
