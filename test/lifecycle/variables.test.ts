/** Every context variable has an effect: none is parsed and then forgotten. */
import { expect, it } from 'vitest'
import type { variables } from '../../lib/appliance/context/variables.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { releaseFile } from '../../lib/steps/models/release.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { configure } from '../../lifecycle/configure.ts'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { recordedHost } from '../support/recorded-host.ts'

const { leaf, ca } = issued(
  { dns: ['copilot.example.com'], ip: [] },
  rightClock(new Date('2026-02-14T10:00:00Z')),
)
const suppliedPair = { ONEAPP_COPILOT_TLS_CERT: leaf.certificate, ONEAPP_COPILOT_TLS_KEY: leaf.key }
const domain = { ONEAPP_COPILOT_DOMAIN: 'copilot.example.com' }
const acmeServer = { ...domain, ONEAPP_COPILOT_TLS_ACME_URL: 'https://acme.example.com/directory' }
const otherModel = { ONEAPP_COPILOT_MODEL: 'qwen2.5-coder-3b' }

const ownModel = {
  ONEAPP_COPILOT_MODEL_URL: 'file:///no/such/model.gguf',
  ONEAPP_COPILOT_MODEL_SHA256: 'a'.repeat(64),
}

type Env = Record<string, string>
/** For each variable, a change of it, and what it needs beside it. The state's disk is read by the unit that mounts it. */
const changes: Record<Exclude<keyof typeof variables, 'stateDisk'>, { with?: Env; set: Env }> = {
  password: { set: { ONEAPP_COPILOT_PASSWORD: 'another-password-1' } },
  keys: { set: { ONEAPP_COPILOT_KEYS: 'alice=key-of-alice-12345' } },
  domain: { set: domain },
  tlsCertificate: { set: suppliedPair },
  tlsKey: { set: suppliedPair },
  acmeEmail: { with: domain, set: { ONEAPP_COPILOT_TLS_EMAIL: 'admin@example.com' } },
  acmeUrl: { with: domain, set: acmeServer },
  acmeCa: { with: acmeServer, set: { ONEAPP_COPILOT_TLS_ACME_CA: ca.certificate } },
  contextSize: { set: { ONEAPP_COPILOT_CONTEXT_SIZE: '4096' } },
  parallel: { set: { ONEAPP_COPILOT_PARALLEL: '1' } },
  threads: { set: { ONEAPP_COPILOT_THREADS: '1' } },
  model: { set: otherModel },
  thinking: { set: { ONEAPP_COPILOT_THINKING: 'NO' } },
  completion: { set: { ONEAPP_COPILOT_COMPLETION: 'qwen2.5-coder-0.5b' } },
  embeddings: { set: { ONEAPP_COPILOT_EMBEDDINGS: 'YES' } },
  modelMirror: {
    with: otherModel,
    set: { ONEAPP_COPILOT_MODEL_MIRROR: 'https://mirror.example.com/models' },
  },
  modelUrl: { set: ownModel },
  modelSha256: { set: ownModel },
  ntpServers: { set: { ONEAPP_COPILOT_NTP_SERVERS: 'ntp.example.com' } },
  unattendedUpgrades: { set: { ONEAPP_COPILOT_UNATTENDED_UPGRADES: 'YES' } },
  metricsKey: { set: { ONEAPP_COPILOT_METRICS_KEY: 'key-of-the-metrics-1' } },
  drainLimit: { set: { ONEAPP_COPILOT_DRAIN_SECONDS: '60' } },
  role: {
    with: { ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-1' },
    set: { ONEAPP_COPILOT_ROLE: 'router' },
  },
  backends: {
    with: { ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-1', ONEAPP_COPILOT_ROLE: 'router' },
    set: { ONEAPP_COPILOT_BACKENDS: 'https://copilot.example.com' },
  },
  floatingAddresses: {
    with: {
      ...suppliedPair,
      ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-1',
      ONEAPP_COPILOT_ROLE: 'router',
      ONEAPP_COPILOT_PASSWORD: 'another-password-1',
    },
    set: { ONEAPP_COPILOT_FLOATING_IP: '192.0.2.100' },
  },
  fleetKey: { set: { ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-1' } },
  logFormat: { set: { ONEAPP_COPILOT_LOG_FORMAT: 'json' } },
  syslog: { set: { ONEAPP_COPILOT_SYSLOG: 'tls://log.example.org' } },
  syslogCa: {
    with: { ONEAPP_COPILOT_SYSLOG: 'tls://log.example.org' },
    set: { ONEAPP_COPILOT_SYSLOG_CA: ca.certificate },
  },
  persistPromptCache: { set: { ONEAPP_COPILOT_KEEP_PROMPTS: 'YES' } },
  sharedCache: {
    with: { ONEAPP_COPILOT_KEYS: 'alice=key-of-alice-12345' },
    set: { ONEAPP_COPILOT_SHARED_CACHE: 'YES' },
  },
}

it.each(Object.entries(changes))('%s changes a file', async (_, { with: before, set }) => {
  const host = recordedHost()
  await applyFiles(host, [releaseFile(productionRelease)])
  const outcomes = async (env: Env) =>
    (await configure({ ...host, env })).filter(({ outcome }) => outcome !== 'unchanged')
  await outcomes({ ...before })
  expect(await outcomes({ ...before })).toEqual([])
  expect(await outcomes({ ...before, ...set })).not.toEqual([])
})
