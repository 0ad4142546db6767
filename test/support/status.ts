/** A status with a value in every section. */
import type { ApplianceStatus } from '../../lib/appliance/status/status.ts'

const at = '2026-02-14T10:00:00.000Z'
const active = { isActive: true, isEnabled: true, since: at, problem: null }
export const servingStatus: ApplianceStatus = {
  schema: 1,
  at,
  isServing: true,
  problem: null,
  stages: {
    framework: 'bootstrap_failure',
    install: null,
    configure: { result: 'success', startedAt: at, endedAt: at, problem: null },
    bootstrap: { result: 'failure', startedAt: at, endedAt: at, problem: 'It has failed.' },
  },
  versions: { appliance: '1.2.3', llamaCpp: 'b9999', nginx: '1.26.3', model: 'a' },
  plan: {
    state: 'serving',
    model: 'a',
    contextSize: 4096,
    slots: 2,
    threads: 8,
    kvType: 'f16',
    companions: [],
  },
  fleet: [
    {
      name: 'copilot-3',
      address: '192.0.2.8',
      model: 'a',
      slots: 4,
      busy: 2,
      state: 'UP',
      version: '1.2.3',
      since: at,
    },
  ],
  floatingAddresses: [{ address: '192.0.2.100', isHere: false }],
  services: [
    { unit: 'slm-copilot.service', ...active },
    { unit: 'slm-copilot-completion.service', ...active, problem: 'does not answer' },
    { unit: 'slm-copilot-admission.service', ...active },
    { unit: 'nginx.service', isActive: false, isEnabled: true, since: null, problem: null },
  ],
  certificate: { mode: 'acme', names: ['copilot.example.com'], ends: at, daysLeft: 12 },
  addresses: ['https://copilot.example.com/v1', 'https://192.0.2.7/v1'],
  smokeTest: { at, depth: 'full', problem: null },
  speed: {
    atStart: { prompt: 123.4, generation: 7.53 },
    sinceStart: { prompt: 98.7, generation: null },
  },
  requests: { total: 10, refused: { 401: 2, 429: 1 } },
  memory: {
    used: 2 ** 30,
    mapped: 2 ** 31,
    plannedAfterStart: 2 ** 30,
    plannedAtMost: 3 * 2 ** 30,
    isWithinPlan: false,
  },
  disks: [
    { folder: '/', free: 5e9, size: 20e9 },
    { folder: '/srv', free: 1e9, size: 20e9 },
    { folder: '/var/log', free: 5e9, size: 20e9 },
  ],
  pending: ['b is not downloaded yet: the server has no such file.'],
  notes: ['A note of some length that goes on and on until it has to be broken, and then goes on.'],
  unknown: {},
}
