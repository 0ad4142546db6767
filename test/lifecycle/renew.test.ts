import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { namesOf } from '../../lib/appliance/names.ts'
import { certificateFiles, paths } from '../../lib/appliance/paths.ts'
import { orderName } from '../../lib/appliance/tls/lets-encrypt.ts'
import { planFile } from '../../lib/steps/plan.ts'
import { landingPageFor } from '../../lib/steps/tls/client-view.ts'
import { inUseFiles } from '../../lib/steps/tls/installed-pairs.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { renew } from '../../lifecycle/renew.ts'
import { capacityFor, tinyModel } from '../support/capacity.ts'
import { decided, issued, ownTlsFiles, pairsOf } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const made = new Date('2026-02-14T10:00:00Z')
const status = 'ActiveState=active\nUnitFileState=enabled\nInvocationID=a1\nActiveEnterTimestamp=@1\n'
const domain = 'copilot.example.com'
const tls = await decided({}, namesOf(facts, domain), rightClock(made))
const certificates = pairsOf(tls)
const order = { domain, server: 'https://acme.example.com/directory', hasCa: false }
const live = `letsencrypt/live/${orderName(order)}`
const obtained = issued({ dns: [domain], ip: [] }, rightClock(new Date(made.getTime() + 20 * 86_400_000)))
const plan = {
  state: 'serving' as const,
  capacity: capacityFor(tinyModel),
  endpoints: [domain],
  notes: [],
  hardware: [],
  cacheSharing: 'one-key' as const,
  companions: [],
}

/** A machine that was configured when `made`, this many days later. */
async function machineAfter(days: number, mode: 'private' | 'acme', reload = () => {}) {
  const now = () => new Date(made.getTime() + days * 86_400_000)
  const host = recordedHost({ now }, command => {
    if (/^systemctl (reload|restart) /.test(command)) reload()
    return command.startsWith('systemctl ') ? { stdout: status } : undefined
  })
  const inUse = mode === 'private' ? tls.own : { mode, target: `../../${live}`, pair: obtained.leaf }
  await applyFiles(host, [
    ...ownTlsFiles(tls),
    planFile(mode === 'private' ? plan : { ...plan, order }),
    { path: `/etc/${live}/${certificateFiles.chain}`, mode: 0o644, text: obtained.leaf.certificate },
    { path: `/etc/${live}/${certificateFiles.key}`, mode: 0o600, text: obtained.leaf.key },
    ...inUseFiles(inUse),
    landingPageFor(plan, { ...tls, inUse }, []),
    { path: paths.edgeConfiguration, mode: 0o600, text: '' },
    { path: paths.edgeProgram, mode: 0o600, text: '' },
    { path: paths.connectionLimit, mode: 0o644, text: '' },
    { path: paths.nginxDropIn, mode: 0o644, text: '' },
  ])
  const certificate = (link: string) =>
    new X509Certificate(host.files.read(`${link}/${certificateFiles.chain}`) ?? '')
  return { host, certificate }
}

it('keeps a certificate that is valid for more than 30 days', async () => {
  const { host, certificate } = await machineAfter(59, 'private')
  await renew(host)
  expect(certificate(paths.currentCertificate).raw).toEqual(
    new X509Certificate(certificates.leaf.certificate).raw,
  )
  expect(host.commands.filter(command => !command.startsWith('chronyc'))).toEqual([])
})

it('renews it for the same names under the same CA, and makes nginx use it', async () => {
  const { host, certificate } = await machineAfter(61, 'private')
  const before = certificate(paths.currentCertificate)
  await renew(host)
  const after = certificate(paths.currentCertificate)
  expect(after.raw).not.toEqual(before.raw)
  expect(after.subjectAltName).toBe(before.subjectAltName)
  expect(host.files.read(paths.caCertificate)).toBe(certificates.ca.certificate)
  expect(host.files.list(paths.certificates)).toHaveLength(1)
  expect(host.commands).toContainEqual(expect.stringMatching(/systemctl (restart|reload) nginx\.service/))
})

it("renews the VM's own certificate while a public one stays in use", async () => {
  const { host, certificate } = await machineAfter(61, 'acme')
  await renew(host)
  expect(host.files.target(paths.currentCertificate)).toBe(`../../${live}`)
  expect(certificate(paths.privateCertificate).raw).not.toEqual(certificate(paths.currentCertificate).raw)
})

it('is repeated the next day if interrupted before nginx used it', async () => {
  let isCut = true
  const { host } = await machineAfter(61, 'private', () => {
    if (isCut) throw new Error('cut off')
  })
  await expect(renew(host)).rejects.toThrow('failed to')
  isCut = false
  const before = host.commands.length
  await renew(host)
  expect(host.commands.slice(before)).toContainEqual(
    expect.stringMatching(/systemctl (restart|reload) nginx/),
  )
  expect(host.files.list(paths.certificates)).toHaveLength(1)
})

it("uses the VM's own certificate if certbot has not renewed an expired public one", async () => {
  const { host, certificate } = await machineAfter(111, 'acme')
  await renew(host)
  expect(host.files.target(paths.currentCertificate)).toMatch(/^certificates\//)
  expect(certificate(paths.currentCertificate).raw).toEqual(certificate(paths.privateCertificate).raw)
})

it('announces a replaced CA in the log and on the landing page', async () => {
  const { host } = await machineAfter(3650 - 80, 'private')
  await renew(host)
  const { fingerprint256 } = new X509Certificate(host.files.read(paths.caCertificate) ?? '')
  expect(host.lines.join('\n')).toMatch(/This VM has a new CA/)
  expect(host.files.read(paths.landingPage)).toContain(fingerprint256)
  expect(host.files.read(paths.previousCaKey)).toBe(certificates.ca.key)
})
