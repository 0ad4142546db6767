import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { expect, it } from 'vitest'
import { type Context, parseContext } from '../../../../lib/appliance/context/context.ts'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { ContextError } from '../../../../lib/appliance/problems.ts'
import { tlsNotes } from '../../../../lib/appliance/tls/notes.ts'
import { suppliedPair, suppliedPairProblems } from '../../../../lib/steps/tls/supplied-pair.ts'
import { decided, issued } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'

const now = new Date('2026-02-14T10:00:00Z')
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000)
const names = { dns: ['copilot.example.com'], ip: [] }
const [mine, another] = [issued(names, rightClock(now)), issued(names, rightClock(now))]
const chain = mine.leaf.certificate
const [own = '', root = ''] = chain.split(/(?<=-----END CERTIFICATE-----\n)/)
/** As `openssl x509 -trustout` writes it, with trust settings after the certificate. */
const trusted = (text: string) =>
  text
    .split(/(?<=-----END CERTIFICATE-----\n)/)
    .map(pem => {
      const der = Buffer.concat([
        new X509Certificate(pem).raw,
        Buffer.from('300c300a06082b06010505070301', 'hex'),
      ])
      return `-----BEGIN TRUSTED CERTIFICATE-----\n${base64(der)}\n-----END TRUSTED CERTIFICATE-----\n`
    })
    .join('')

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')

const model = catalogue['devstral-small-2']
const parse = (certificate: string, key: string, at = now, more = {}) =>
  parseContext(
    { ONEAPP_COPILOT_TLS_CERT: certificate, ONEAPP_COPILOT_TLS_KEY: key, ...more },
    [model],
    model,
    suppliedPairProblems(rightClock(at)),
  )

/** The problems as text: variable, what it got, what it takes. */
function problems(certificate: string, key: string, at: Date): string[] {
  try {
    parse(certificate, key, at)
    return []
  } catch (error) {
    if (!(error instanceof ContextError)) throw error
    expect(error.message).not.toContain(mine.leaf.key.split('\n')[1])
    return error.problems.map(
      ({ variable, got, takes }) => `${variable.slice(15)} got ${got}; takes ${takes}`,
    )
  }
}

it.each([
  ['PEM', chain, mine.leaf.key],
  ['PEM with carriage returns', chain.replaceAll('\n', '\r\n'), mine.leaf.key.replaceAll('\n', '\r\n')],
  ['PEM with other text around it', `Bag Attributes\n${own}subject=x\n${root}`, mine.leaf.key],
  ['Base64', base64(chain), base64(mine.leaf.key)],
  ['Base64 in lines', base64(chain).replaceAll(/.{76}/g, '$&\n'), base64(mine.leaf.key)],
  ["OpenSSL's own PEM, with trust settings", trusted(chain), mine.leaf.key],
  ['Base64 of Base64', base64(base64(chain)), base64(base64(mine.leaf.key))],
])('accepts a pair as %s', (_, certificate, key) => {
  expect(suppliedPair(parse(certificate, key))?.pair).toEqual({ certificate: chain, key: mine.leaf.key })
})

const encrypted = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' },
}).privateKey

it.each([
  ['no key', chain, '', now, /^TLS_KEY got nothing; .*since ONEAPP_COPILOT_TLS_CERT is set/],
  ['no certificate', '', mine.leaf.key, now, /^TLS_CERT got nothing; .*since ONEAPP_COPILOT_TLS_KEY is set/],
  ['something else', 'hello', mine.leaf.key, now, /^TLS_CERT got text that is not a PEM certificate/],
  [
    'a key instead of a certificate',
    mine.leaf.key,
    mine.leaf.key,
    now,
    /^TLS_CERT got a private key instead of a certificate/,
  ],
  [
    'a key with a passphrase',
    chain,
    encrypted,
    now,
    /^TLS_KEY got a private key with a passphrase; takes .* without a passphrase/,
  ],
  [
    'half a certificate',
    chain.replace(/\n.*\n/, '\n'),
    mine.leaf.key,
    now,
    /^TLS_CERT .* that cannot be parsed/,
  ],
  ['half a key', chain, mine.leaf.key.replace(/\n.*\n/, '\n'), now, /^TLS_KEY .* that cannot be parsed/],
  [
    'the key of another certificate',
    chain,
    another.leaf.key,
    now,
    /^TLS_KEY got a key that does not belong to the certificate/,
  ],
  [
    'a chain in reverse order',
    root + own,
    mine.leaf.key,
    now,
    /^TLS_CERT got the certificate of the key as number 2/,
  ],
  ['no issuer', own, mine.leaf.key, now, /^TLS_CERT got a chain that ends with "CN=copilot.*root: "CN=SLM-/],
  [
    'another issuer',
    own + another.ca.certificate,
    mine.leaf.key,
    now,
    /^TLS_CERT got a chain whose certificate 2 did not sign certificate 1/,
  ],
  ['no name', root, mine.ca.key, now, /^TLS_CERT got a certificate without subjectAltName/],
  ['an expired one', chain, mine.leaf.key, inDays(91), /^TLS_CERT got "CN=copilot.*expired on 2026-05-15/],
  ['one not valid yet', own + root, mine.leaf.key, inDays(-31), /^TLS_CERT got "CN=copilot.*valid only from/],
])('reports the problem with %s', (_, certificate, key, at, expected) => {
  const [first, ...others] = problems(certificate, key, at)
  expect(first).toMatch(expected)
  expect(others.filter(text => !expected.test(text.replace('SLM-Copilot CA ', '')))).toEqual([])
})

it('notes if the certificate does not cover the domain', async () => {
  const own = await decided({}, names, rightClock(now))
  const notes = (domain: string) =>
    tlsNotes({
      ...own,
      supplied: suppliedPair(parse(chain, mine.leaf.key, now, { ONEAPP_COPILOT_DOMAIN: domain })),
    })
  expect(notes('copilot.example.com')).toEqual([])
  expect(notes('other.example.com')).toEqual([
    'The supplied certificate is not for other.example.com: it is for copilot.example.com.',
  ])
})

it('notes if a certificate for addresses alone does not cover the floating one', () => {
  const missing = (ip: string[], dns: string[] = []) => {
    const { leaf, ca } = issued({ dns, ip }, rightClock(now))
    const context = {
      ...parse(leaf.certificate + ca.certificate, leaf.key),
      floatingAddresses: ['192.0.2.100'],
    }
    return suppliedPair(context)?.missing
  }
  expect(missing(['192.0.2.7'])).toBe('192.0.2.100')
  expect(missing(['192.0.2.7', '192.0.2.100'])).toBeUndefined()
  expect(missing(['192.0.2.7'], ['copilot.example.com'])).toBeUndefined()
})

it('is installed in a folder named by its digest', () => {
  const found = suppliedPair(parse(chain, mine.leaf.key))
  expect(found).toEqual({
    mode: 'supplied',
    target: expect.stringMatching(/^certificates\/supplied-[0-9a-f]{32}$/),
    pair: { certificate: chain, key: mine.leaf.key },
    names: ['copilot.example.com'],
    missing: undefined,
  })
  const other = suppliedPair(parse(another.leaf.certificate, another.leaf.key))
  expect(other?.target).not.toBe(found?.target)
  expect(suppliedPair(parse('', ''))).toBeUndefined()
})

/** A certificate that signs itself. */
function selfSigned(subject: Record<string, string>, names: string[]) {
  const { pki, md } = forge
  const keys = pki.rsa.generateKeyPair({ bits: 2048 })
  const certificate = pki.createCertificate()
  const attributes = Object.entries(subject).map(([name, value]) => ({ name, value }))
  certificate.publicKey = keys.publicKey
  certificate.serialNumber = '4d5e'
  certificate.validity.notBefore = inDays(-1)
  certificate.validity.notAfter = inDays(1)
  certificate.setSubject(attributes)
  certificate.setIssuer(attributes)
  certificate.setExtensions([{ name: 'subjectAltName', altNames: names.map(value => ({ type: 2, value })) }])
  certificate.sign(keys.privateKey, md.sha256.create())
  return { certificate: pki.certificateToPem(certificate), key: pki.privateKeyToPem(keys.privateKey) }
}

const long = selfSigned({ organizationName: 'Example', commonName: 'one' }, ['one.example.com'])
const nameless = selfSigned({}, ['one.example.com'])
const { validFromDate: from, validToDate: to } = new X509Certificate(own)
const certificates = 'PEM certificates, or their Base64 encoding'
const broken = root.replace(/\n.*\n/, '\n')

const problemsOf = (context: Partial<Context>, at: Date, isSynchronised = true) =>
  suppliedPairProblems({ ...rightClock(now), now: at, isSynchronised })(context as Context).map(
    ({ variable, got, takes }) => [variable.slice('ONEAPP_COPILOT_'.length), got, takes],
  )

it.each<[string, { certificate: string; key: string }, Date, string[][]]>([
  ['the certificate begins now', mine.leaf, from, []],
  ['the certificate ends in a second', mine.leaf, new Date(to.getTime() - 1000), []],
  [
    'the certificate ends now',
    mine.leaf,
    to,
    [
      [
        'TLS_CERT',
        `"CN=copilot.example.com", expired on ${to.toISOString()}`,
        'a certificate that is valid now',
      ],
    ],
  ],
  [
    'the subject has several parts',
    long,
    inDays(2),
    [
      [
        'TLS_CERT',
        `"O=Example, CN=one", expired on ${inDays(1).toISOString()}`,
        'a certificate that is valid now',
      ],
    ],
  ],
  [
    'the subject is empty',
    nameless,
    inDays(-2),
    [
      [
        'TLS_CERT',
        `"serial number 4D5E", valid only from ${inDays(-1).toISOString()}`,
        'a certificate that is valid now',
      ],
    ],
  ],
  [
    'the key belongs to another certificate',
    { certificate: long.certificate, key: nameless.key },
    now,
    [['TLS_KEY', 'a key that does not belong to the certificate', 'the key of "O=Example, CN=one"']],
  ],
  [
    'the chain is in reverse order',
    { certificate: root + own, key: mine.leaf.key },
    now,
    [
      [
        'TLS_CERT',
        'the certificate of the key as number 2 of the chain',
        'that one first, then its issuers up to the root',
      ],
    ],
  ],
  [
    'another issuer follows',
    { certificate: own + long.certificate, key: mine.leaf.key },
    now,
    [
      [
        'TLS_CERT',
        'a chain whose certificate 2 did not sign certificate 1',
        `"${new X509Certificate(own).issuer}" as certificate 2`,
      ],
    ],
  ],
  [
    'it has no names',
    { certificate: root, key: mine.ca.key },
    now,
    [
      [
        'TLS_CERT',
        `a certificate without subjectAltName: "${new X509Certificate(root).subject}"`,
        'a certificate with subjectAltName',
      ],
    ],
  ],
])('says what to correct: %s', (_, { certificate: tlsCertificate, key: tlsKey }, at, expected) => {
  expect(problemsOf({ tlsCertificate, tlsKey }, at)).toEqual(expected)
})

it('does not check dates by a clock that cannot be right', () => {
  const pair = { tlsCertificate: chain, tlsKey: mine.leaf.key }
  expect(problemsOf(pair, inDays(-3000), false)).toEqual([])
  expect(problemsOf(pair, inDays(-3000)).length).toBeGreaterThan(0)
})

it.each<[Partial<Context>, string[][]]>([
  [{ acmeCa: root, syslogCa: root }, []],
  [{ acmeCa: broken }, [['TLS_ACME_CA', 'a PEM certificate that cannot be parsed', certificates]]],
  [{ syslogCa: root + broken }, [['SYSLOG_CA', 'a PEM certificate that cannot be parsed', certificates]]],
])("parses other servers' CAs, too: %#", (context, expected) => {
  expect(problemsOf(context, now)).toEqual(expected)
})
