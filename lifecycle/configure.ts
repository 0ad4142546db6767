/** Every boot and at context changes: context → plan → files. Starts nothing; bad input changes nothing. */
import { cacheSharingOf } from '../lib/appliance/cache-sharing.ts'
import { planCapacity, refusalOf } from '../lib/appliance/capacity.ts'
import type { Model } from '../lib/appliance/catalogue.ts'
import { parseContext } from '../lib/appliance/context.ts'
import { hardwareNotes, severeNotes } from '../lib/appliance/hardware.ts'
import { orderOf } from '../lib/appliance/lets-encrypt.ts'
import { chooseModel, type Trials } from '../lib/appliance/model-choice.ts'
import { endpointsOf, namesOf } from '../lib/appliance/names.ts'
import { paths, units } from '../lib/appliance/paths.ts'
import { modelsOf, requestNames } from '../lib/appliance/release.ts'
import { largestBody } from '../lib/appliance/request-size.ts'
import { unknownNameNotes } from '../lib/appliance/unknown-names.ts'
import { passwordName } from '../lib/appliance/values.ts'
import { variableNames } from '../lib/appliance/variables.ts'
import { chatTemplateFile } from '../lib/render/chat-template.ts'
import { chronyConfiguration, chronyDropIn } from '../lib/render/clock.ts'
import { connectionLimit } from '../lib/render/connection-limit.ts'
import { landingPage } from '../lib/render/landing-page.ts'
import { certbotDropIn, deployHook } from '../lib/render/lets-encrypt.ts'
import { llamaEnvironment, llamaUnit, memoryDropIn } from '../lib/render/llama.ts'
import { edgeConfiguration } from '../lib/render/nginx-edge.ts'
import { gateConfiguration, gateUnit } from '../lib/render/nginx-gate.ts'
import { edgeProgram } from '../lib/render/nginx-program.ts'
import { nginxDropIn } from '../lib/render/nginx-unit.ts'
import { promptsUnit } from '../lib/render/prompts-unit.ts'
import { caFiles, caNotes, ownPair, readCertificates } from '../lib/steps/certificate.ts'
import { readClock, timeSources } from '../lib/steps/clock.ts'
import { isModelThere, readTrials } from '../lib/steps/fetched-models.ts'
import { givenNotes, givenPair, judgeGivenPair } from '../lib/steps/given-certificate.ts'
import { acmeCaFile, readObtained } from '../lib/steps/lets-encrypt.ts'
import { checkCandidate } from '../lib/steps/nginx.ts'
import { decidePassword, findPassword, passwordFiles, passwordNotes } from '../lib/steps/password.ts'
import { planFile } from '../lib/steps/plan.ts'
import { installedRelease } from '../lib/steps/release.ts'
import {
  formerPairs,
  pairFiles,
  servedFiles,
  summarize,
  verifiable,
} from '../lib/steps/served-certificate.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, type Change, exposureNotes } from '../lib/system/managed-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'
import { decideOwnCertificates } from './own-certificate.ts'

/**
 * Brings the files to what the context asks for and says what became of each. Throws a ContextError on bad input.
 * `trials`: by them a fetched model is served or not.
 */
export async function configure(host: Host, trials: Trials = readTrials(host)): Promise<Change[]> {
  const release = installedRelease(host)
  const clock = await readClock(host)
  const context = parseContext(host.env, modelsOf(release), release.model, judgeGivenPair(clock))
  const facts = host.facts()
  const found = readCertificates(host)

  const misfit = (model: Model) => refusalOf(facts, model, context)
  const knowledge = { memory: facts.memory, isThere: isModelThere(host), misfit }
  const { serve, wanted, note, unserved } = chooseModel(release, context, knowledge, trials)
  const capacity = planCapacity(facts, serve, context)
  const names = namesOf(facts, context.domain)
  const certificates = await decideOwnCertificates(found, names, clock)
  const own = ownPair(certificates)
  const given = givenPair(context)
  const order = orderOf(context)
  const served = given ?? readObtained(host, order, clock) ?? own
  const password = decidePassword(findPassword(host), context.password, clock.now, host.random)
  const keys = [{ name: passwordName, key: password.password }, ...context.keys]
  const limits = { contextSize: capacity.contextSize, bodyLimit: largestBody(capacity) }
  const cacheSharing = cacheSharingOf(context)
  const site = { keys, cacheSharing, hasIpv6: facts.hasIpv6, ...limits }
  const settings = { models: requestNames(serve, release), ...limits, readsImages: false }
  await checkCandidate(host, site, settings, served.pair)

  const secrets = [
    ...passwordFiles(password),
    ...caFiles(certificates),
    ...pairFiles(own),
    ...(given === undefined ? [] : pairFiles(given)),
  ]
  const notes = [
    ...severeNotes(facts),
    ...unknownNameNotes(host.env, variableNames),
    ...passwordNotes(password),
    ...exposureNotes(host, secrets),
    ...[note, unserved].filter(said => said !== undefined),
    ...caNotes(certificates, names, clock),
    ...givenNotes(context),
  ]
  const hardware = hardwareNotes(facts, context.threads)
  for (const note of [...capacity.notes, ...notes, ...hardware]) host.log.warn(note)
  const endpoints = endpointsOf(facts, context.domain)
  const changes = await applyFiles(host, [
    { path: paths.state, mode: 0o700, folder: true },
    { path: paths.settings, mode: 0o750, folder: true },
    ...secrets,
    { path: paths.privateCertificate, link: own.target },
    ...servedFiles(served),
    ...formerPairs(host, [own, given]),
    acmeCaFile(context),
    certbotDropIn(order),
    chronyConfiguration(timeSources(host, context.ntpServers)),
    chronyDropIn(),
    deployHook(),
    planFile({ capacity, endpoints, notes, hardware, cacheSharing, order, wanted, unserved }),
    chatTemplateFile(),
    llamaEnvironment(capacity),
    llamaUnit({ keepsPrompts: context.keepPrompts }),
    ...promptsUnit(context.keepPrompts),
    memoryDropIn(capacity),
    gateConfiguration(capacity),
    gateUnit(),
    connectionLimit(),
    nginxDropIn(),
    landingPage({
      endpoints: verifiable(served, endpoints),
      capacity,
      cacheSharing,
      tls: summarize(served, certificates.ca),
    }),
    edgeProgram(settings),
    edgeConfiguration(site),
  ])
  if (host.isLive)
    await reloadUnits(host, [units.llama, units.gate, units.prompts, units.nginx, units.certbot, units.clock])
  return changes
}
