/** Every boot and at context changes: context → plan → files. Starts nothing; bad input changes nothing. */
import { planCapacity } from '../lib/appliance/capacity.ts'
import { modelsWith } from '../lib/appliance/catalogue.ts'
import { parseContext } from '../lib/appliance/context.ts'
import { endpointsOf, namesOf } from '../lib/appliance/names.ts'
import { paths, units } from '../lib/appliance/paths.ts'
import { planFile } from '../lib/appliance/plan.ts'
import { passwordName } from '../lib/appliance/variables.ts'
import { chatTemplateFile } from '../lib/render/chat-template.ts'
import { llamaEnvironment, llamaUnit } from '../lib/render/llama.ts'
import { nginxSite } from '../lib/render/nginx-site.ts'
import { nginxDropIn } from '../lib/render/nginx-unit.ts'
import { certificateManagedFiles, goodCertificates, readCertificates } from '../lib/steps/certificate.ts'
import { issueMissing } from '../lib/steps/issue-certificate.ts'
import { checkCandidate } from '../lib/steps/nginx.ts'
import { generatePassword, passwordFile, readPassword } from '../lib/steps/password.ts'
import { installedRelease } from '../lib/steps/release.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, type Change } from '../lib/system/managed-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'

/** Brings the files to what the context asks for and says what became of each. Throws a ContextError on bad input. */
export async function configure(host: Host): Promise<Change[]> {
  const { model } = installedRelease(host)
  const context = parseContext(host.env, modelsWith(model), model)
  const facts = host.facts()

  const capacity = planCapacity(facts, model, context)
  const names = namesOf(facts, context.domain)
  const good = goodCertificates(readCertificates(host), names, host.now())
  const certificates = await issueMissing(good, names, host.now())
  const password = context.password ?? readPassword(host) ?? generatePassword(host.random)
  const keys = [{ name: passwordName, key: password }, ...context.keys]
  const site = { keys, slots: capacity.slots, hasIpv6: facts.hasIpv6 }
  await checkCandidate(host, site, certificates.leaf)

  for (const note of capacity.notes) host.log.warn(note)
  const changes = await applyFiles(host, [
    { path: paths.state, mode: 0o700, folder: true },
    { path: paths.settings, mode: 0o750, folder: true },
    passwordFile(password),
    ...certificateManagedFiles(host, certificates),
    planFile({ capacity, endpoints: endpointsOf(facts, context.domain) }),
    chatTemplateFile(),
    llamaEnvironment(capacity),
    llamaUnit(),
    nginxDropIn(),
    nginxSite({ ...site, certificate: paths.currentCertificate }),
  ])
  if (host.isLive) await reloadUnits(host, [units.llama, units.nginx])
  return changes
}
