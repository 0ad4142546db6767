/** Every state file: its path, its schema, and what happens if it is damaged. */
import * as z from 'zod'
import { replacementSchema } from './context/password.ts'
import { disksSchema, stampSchema, usedDiskSchema } from './disks/state.ts'
import { fleetSchema } from './fleet/fleet.ts'
import { publishedLoadSchema } from './fleet/load.ts'
import { promptCacheSchema } from './llama/prompt-cache.ts'
import { countersSchema } from './metrics/counters.ts'
import { ownModelsSchema } from './models/own-model.ts'
import { fileProofsSchema, releaseSchema } from './models/release.ts'
import { verificationsSchema } from './models/verification.ts'
import { publicationSchema } from './onegate.ts'
import { configureCommand, paths } from './paths.ts'
import { planSchema } from './plan.ts'
import { messageSchema } from './readiness.ts'
import { restartsSchema } from './services/restarts.ts'
import { provenSchema } from './services/services.ts'
import { historySchema } from './services/watchdog.ts'
import { shortageSchema } from './sizing/shortage.ts'
import { measurementSchema } from './sizing/speed.ts'
import { smokeTestSchema, stageRunsSchema } from './stages.ts'
import { attemptsSchema } from './tls/lets-encrypt.ts'
import { journalSchema } from './upgrade/version.ts'

export const stateFiles = {
  release: {
    path: paths.release,
    mode: 0o644,
    schema: releaseSchema,
    whenDamaged: { fix: 'run `slm-copilot install`' },
  },
  fileProofs: {
    path: paths.fileProofs,
    mode: 0o644,
    schema: fileProofsSchema,
    whenDamaged: { consequence: 'the SHA-256 digests of model files are verified again' },
  },
  plan: {
    path: paths.plan,
    mode: 0o640,
    schema: planSchema,
    whenDamaged: { fix: `run \`${configureCommand}\`` },
  },
  fleet: {
    path: paths.fleet,
    mode: 0o600,
    schema: fleetSchema,
    whenDamaged: { consequence: 'the copilots of the fleet are looked up again' },
  },
  verifications: {
    path: paths.verifications,
    mode: 0o600,
    schema: verificationsSchema,
    whenDamaged: { consequence: 'downloaded models are verified again' },
  },
  ownModels: {
    path: paths.ownModels,
    mode: 0o600,
    schema: ownModelsSchema,
    whenDamaged: { consequence: 'the header of a model by URL is read again' },
  },
  attempts: {
    path: paths.attempts,
    mode: 0o600,
    schema: attemptsSchema,
    whenDamaged: { consequence: 'a certificate is requested at once' },
  },
  passwordReplacement: {
    path: paths.passwordReplacement,
    mode: 0o600,
    schema: replacementSchema,
    whenDamaged: { consequence: 'the report no longer says that the key was replaced' },
  },
  promptCache: {
    path: paths.promptCacheIndex,
    mode: 0o600,
    schema: promptCacheSchema,
    whenDamaged: { consequence: 'the prompt cache is discarded, and prompts are computed again' },
  },
  upgrade: {
    path: paths.upgradeJournal,
    mode: 0o600,
    schema: journalSchema,
    whenDamaged: {
      consequence: 'an interrupted upgrade is not undone: `slm-copilot upgrade --rollback` does',
    },
  },
  proven: {
    path: paths.proven,
    mode: 0o600,
    schema: provenSchema,
    whenDamaged: { consequence: 'services are checked again' },
  },
  measurement: {
    path: paths.measurement,
    mode: 0o600,
    schema: measurementSchema,
    whenDamaged: { consequence: 'the speed is measured again' },
  },
  restarts: {
    path: paths.restarts,
    mode: 0o600,
    schema: restartsSchema,
    whenDamaged: { consequence: 'restarts are counted from zero' },
  },
  watchdog: {
    path: paths.watchdog,
    mode: 0o600,
    schema: z.record(z.string(), historySchema),
    whenDamaged: { consequence: 'the watchdog forgets its earlier observations' },
  },
  oneGate: {
    path: paths.oneGate,
    mode: 0o600,
    schema: publicationSchema,
    whenDamaged: { consequence: 'OneGate is updated at the next boot or context change' },
  },
  disks: {
    path: paths.disks,
    mode: 0o644,
    schema: disksSchema,
    whenDamaged: { consequence: 'which disks are used is unknown until the next configure' },
  },
  stamp: {
    path: paths.stateStamp,
    mode: 0o600,
    schema: stampSchema,
    whenDamaged: {
      fix: 'restore it from a backup of the disk: it says by which version the state was written',
    },
  },
  usedDisk: {
    path: paths.stateDiskUsed,
    mode: 0o600,
    schema: usedDiskSchema,
    whenDamaged: { consequence: 'any disk labelled for the state is used' },
  },
  oneGateLoad: {
    path: paths.oneGateLoad,
    mode: 0o600,
    schema: publishedLoadSchema,
    whenDamaged: { consequence: 'the load is published anew' },
  },
  counters: {
    path: paths.counters,
    mode: 0o600,
    schema: countersSchema,
    whenDamaged: { consequence: 'the metrics count requests from zero' },
  },
  stageRuns: {
    path: paths.stageRuns,
    mode: 0o600,
    schema: stageRunsSchema,
    whenDamaged: { consequence: 'the results of the last stages are unknown' },
  },
  smokeTest: {
    path: paths.smokeTest,
    mode: 0o600,
    schema: smokeTestSchema,
    whenDamaged: { consequence: 'the result of the last smoke test is unknown' },
  },
  messageOfTheDay: {
    path: paths.messageState,
    mode: 0o600,
    schema: messageSchema,
    whenDamaged: { consequence: "the message of the day keeps its text until the framework's next stage" },
  },
  shortage: {
    path: paths.memoryShortage,
    mode: 0o600,
    schema: shortageSchema,
    whenDamaged: { consequence: 'the plan takes as much memory again as before llama-server ran out of it' },
  },
  loaded: {
    path: paths.loaded,
    mode: 0o600,
    schema: z.strictObject({ configuration: z.string() }),
    whenDamaged: { consequence: 'the model counts as never loaded' },
  },
} as const
