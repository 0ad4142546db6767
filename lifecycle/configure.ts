/** Every boot and at context changes: context → plan → files. Starts nothing; bad input changes nothing. */

import { parseContext } from '../lib/appliance/context/context.ts'
import { unknownNameNotes } from '../lib/appliance/context/unknown-names.ts'
import { passwordName } from '../lib/appliance/context/values.ts'
import { variableNames } from '../lib/appliance/context/variables.ts'
import type { Model } from '../lib/appliance/models/catalogue.ts'
import { chooseModel } from '../lib/appliance/models/choice.ts'
import { modelsOf, requestNames } from '../lib/appliance/models/release.ts'
import type { Verifications } from '../lib/appliance/models/verification.ts'
import { endpointsOf, namesOf } from '../lib/appliance/names.ts'
import { cacheSharingOf } from '../lib/appliance/nginx/cache-sharing.ts'
import { hasHttp2Directive } from '../lib/appliance/nginx/version.ts'
import { paths, units } from '../lib/appliance/paths.ts'
import { planFor, planNotes } from '../lib/appliance/plan.ts'
import { largestBody } from '../lib/appliance/requests/size.ts'
import { planCapacity, refusalOf } from '../lib/appliance/sizing/capacity.ts'
import { hardwareNotes, severeNotes } from '../lib/appliance/sizing/hardware.ts'
import { orderOf } from '../lib/appliance/tls/lets-encrypt.ts'
import { chatTemplateFile } from '../lib/render/models/chat-template.ts'
import { admissionConfiguration, admissionUnit } from '../lib/render/nginx/admission.ts'
import { connectionLimit } from '../lib/render/nginx/connection-limit.ts'
import { edgeConfiguration } from '../lib/render/nginx/edge.ts'
import { admissionProgram, edgeProgram } from '../lib/render/nginx/program.ts'
import { landingPage } from '../lib/render/page/landing-page.ts'
import { certbotDropIn, deployHook } from '../lib/render/tls/lets-encrypt.ts'
import { chronyConfiguration, chronyDropIn } from '../lib/render/units/clock.ts'
import { llamaEnvironment, llamaUnit, memoryDropIn } from '../lib/render/units/llama.ts'
import { nginxDropIn } from '../lib/render/units/nginx.ts'
import { promptCacheUnit } from '../lib/render/units/prompt-cache.ts'
import { modelState, readVerifications } from '../lib/steps/models/fetched-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { decidePassword, findPassword, passwordFiles, passwordNotes } from '../lib/steps/password.ts'
import { planFile } from '../lib/steps/plan.ts'
import { checkCandidate, readNginxVersion } from '../lib/steps/services/nginx.ts'
import { readClock, timeSources } from '../lib/steps/tls/clock.ts'
import {
  inUseFiles,
  pairFiles,
  supersededPairs,
  tlsSummary,
  verifiableEndpoints,
} from '../lib/steps/tls/installed-pairs.ts'
import { acmeCaFile, readObtained } from '../lib/steps/tls/lets-encrypt.ts'
import { caFiles, caNotes, ownPair, readCertificates } from '../lib/steps/tls/own-certificate.ts'
import { suppliedPair, suppliedPairNotes, suppliedPairProblems } from '../lib/steps/tls/supplied-pair.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, type Change, exposureNotes } from '../lib/system/managed-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'
import { decideOwnCertificates } from './own-certificate.ts'

/**
 * Brings the files to what the context asks for and says what became of each. Throws a ContextError on bad input.
 * `verifications`: by them a downloaded model is served or not.
 */
export async function configure(
  host: Host,
  verifications: Verifications = readVerifications(host),
): Promise<Change[]> {
  const release = installedRelease(host)
  const clock = await readClock(host)
  const context = parseContext(host.env, modelsOf(release), release.model, suppliedPairProblems(clock))
  const facts = host.facts()
  const found = readCertificates(host)

  const misfit = (model: Model) => refusalOf(facts, model, context)
  const stateOf = (model: Model) => modelState(host, verifications, model)
  const choice = chooseModel(release, context, { memory: facts.memory, stateOf, misfit })
  const capacity = planCapacity(facts, choice.model, context)
  const names = namesOf(facts, context.domain)
  const certificates = await decideOwnCertificates(found, names, clock)
  const own = ownPair(certificates)
  const given = suppliedPair(context)
  const order = orderOf(context)
  const served = given ?? readObtained(host, order, clock) ?? own
  const password = decidePassword(findPassword(host), context.password, clock.now, host.random)
  const keys = [{ name: passwordName, key: password.password }, ...context.keys]
  const limits = { contextSize: capacity.contextSize, bodyLimit: largestBody(capacity) }
  const cacheSharing = cacheSharingOf(context)
  const nginx = { hasHttp2Directive: hasHttp2Directive(await readNginxVersion(host)) }
  const site = { keys, cacheSharing, hasIpv6: facts.hasIpv6, ...nginx, ...limits }
  const settings = { models: requestNames(choice.model, release), ...limits, readsImages: false }
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
    ...caNotes(certificates, names, clock),
    ...suppliedPairNotes(context),
  ]
  const hardware = hardwareNotes(facts, context.threads)
  const endpoints = endpointsOf(facts, context.domain)
  const plan = planFor(choice, capacity, { endpoints, notes, hardware, cacheSharing, order })
  for (const note of [...planNotes(plan), ...hardware]) host.log.warn(note)
  const changes = await applyFiles(host, [
    { path: paths.state, mode: 0o700, folder: true },
    { path: paths.settings, mode: 0o750, folder: true },
    ...secrets,
    { path: paths.privateCertificate, link: own.target },
    ...inUseFiles(served),
    ...supersededPairs(host, [own, given]),
    acmeCaFile(context),
    certbotDropIn(order),
    chronyConfiguration(timeSources(host, context.ntpServers)),
    chronyDropIn(),
    deployHook(),
    planFile(plan),
    chatTemplateFile(),
    llamaEnvironment(capacity),
    llamaUnit({ keepsPrompts: context.keepPrompts }),
    ...promptCacheUnit(context.keepPrompts),
    memoryDropIn(capacity),
    admissionConfiguration({ ...capacity, cacheSharing }),
    admissionProgram(),
    admissionUnit(),
    connectionLimit(),
    nginxDropIn(),
    landingPage({
      endpoints: verifiableEndpoints(served, endpoints),
      capacity,
      cacheSharing,
      tls: tlsSummary(served, certificates.ca),
    }),
    edgeProgram(settings),
    edgeConfiguration(site),
  ])
  if (host.isLive)
    await reloadUnits(host, [
      units.llama,
      units.admission,
      units.promptCache,
      units.nginx,
      units.certbot,
      units.clock,
    ])
  return changes
}
