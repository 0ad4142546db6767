import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { namesOf } from '../../lib/appliance/names.ts'
import { certificateFiles, paths } from '../../lib/appliance/paths.ts'
import { inUseFiles, ownPairFiles } from '../../lib/steps/tls/installed-pairs.ts'
import { issueMissing } from '../../lib/steps/tls/issue-certificate.ts'
import { caFiles, ownPair } from '../../lib/steps/tls/own-certificate.ts'
import { applyFiles } from '../../lib/system/managed-files.ts'
import { renew } from '../../lifecycle/renew.ts'
import { rightClock } from '../support/clock.ts'
import { facts, recordedHost } from '../support/recorded-host.ts'

const made = new Date('2026-02-14T10:00:00Z')
const status = 'ActiveState=active\nUnitFileState=enabled\nInvocationID=a1\nActiveEnterTimestamp=@1\n'
const certificates = await issueMissing({}, namesOf(facts, 'copilot.example.com'), rightClock(made))

/** A machine that was configured on the day, and is looked at this many days later. */
async function machineAfter(days: number, mode: 'private' | 'acme', reload = () => {}) {
  const now = () => new Date(made.getTime() + days * 86_400_000)
  const host = recordedHost({ now }, ([program, verb = '']) => {
    if (/reload|restart/.test(verb)) reload()
    return program === 'systemctl' ? { stdout: status } : undefined
  })
  const own = ownPair(certificates)
  const obtained = { ...own, mode, target: '../../letsencrypt/live/x' }
  const folder = '/etc/letsencrypt/live/x'
  await applyFiles(host, [
    ...caFiles(certificates),
    ...ownPairFiles(own),
    { path: `${folder}/${certificateFiles.chain}`, mode: 0o644, text: own.pair.certificate },
    { path: `${folder}/${certificateFiles.key}`, mode: 0o600, text: own.pair.key },
    ...inUseFiles(mode === 'private' ? own : obtained),
    { path: paths.edgeConfiguration, mode: 0o600, text: '' },
    { path: paths.edgeProgram, mode: 0o600, text: '' },
    { path: paths.connectionLimit, mode: 0o644, text: '' },
    { path: paths.nginxDropIn, mode: 0o644, text: '' },
  ])
  const certificate = (link: string) =>
    new X509Certificate(host.files.read(`${link}/${certificateFiles.chain}`) ?? '')
  return { host, certificate }
}

it('leaves a certificate alone that goes on for more than 30 days', async () => {
  const { host, certificate } = await machineAfter(59, 'private')
  await renew(host)
  expect(certificate(paths.currentCertificate).raw).toEqual(
    new X509Certificate(certificates.leaf.certificate).raw,
  )
  expect(host.commands.filter(command => !command.startsWith('chronyc'))).toEqual([])
})

it('renews it for the same names under the same CA, and nginx takes it up', async () => {
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

it('renews it behind a public one, which goes on to be served', async () => {
  const { host, certificate } = await machineAfter(61, 'acme')
  await renew(host)
  expect(host.files.target(paths.currentCertificate)).toBe('../../letsencrypt/live/x')
  expect(certificate(paths.privateCertificate).raw).not.toEqual(certificate(paths.currentCertificate).raw)
})

it('is done again the next day when it was cut off before nginx took it up', async () => {
  let isCut = true
  const { host } = await machineAfter(61, 'private', () => {
    if (isCut) throw new Error('cut off')
  })
  await expect(renew(host)).rejects.toThrow('does not')
  isCut = false
  const before = host.commands.length
  await renew(host)
  expect(host.commands.slice(before)).toContainEqual(
    expect.stringMatching(/systemctl (restart|reload) nginx/),
  )
  expect(host.files.list(paths.certificates)).toHaveLength(1)
})
