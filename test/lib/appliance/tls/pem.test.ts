import { expect, it } from 'vitest'
import { describeOtherPem, readPem } from '../../../../lib/appliance/tls/pem.ts'
import { issued } from '../../../support/certificates.ts'
import { rightClock } from '../../../support/clock.ts'

const { leaf } = issued({ dns: ['copilot.example.com'], ip: [] }, rightClock(new Date()))
const chain = leaf.certificate
const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')
const perLine = (change: (line: string) => string) => (text: string) =>
  text.split('\n').map(change).join('\n')
const relabelled = (label: string) => (text: string) =>
  text.replaceAll(/(BEGIN|END) CERTIFICATE/g, `$1 ${label}`)
const forms: Record<string, (text: string) => string> = {
  unchanged: text => text,
  'with spaces at the ends of lines': perLine(line => `${line}  `),
  'with tabs at the ends of lines': perLine(line => `${line}\t`),
  indented: perLine(line => `    ${line}`),
  'with carriage returns': text => text.replaceAll('\n', '\r\n'),
  'with carriage returns alone': text => text.replaceAll('\n', '\r'),
  'with empty lines': text => text.replaceAll('\n', '\n\n'),
  'with a byte order mark': text => `\uFEFF${text}`,
  'without a final line end': text => text.trimEnd(),
  'with other text around and between': text =>
    `Bag Attributes\n  x: y\n${text.replaceAll('-----BEGIN', 'subject=x\n-----BEGIN')}end`,
  'with escaped line feeds': text => text.replaceAll('\n', '\\n'),
  'with escaped CRLF line ends': text => text.replaceAll('\n', '\\r\\n'),
  'on one line': text => text.replaceAll('\n', ' '),
  'with one long line per block': text =>
    text.replaceAll(
      /-----\n([^-]+)\n-----/g,
      (_, body: string) => `-----\n${body.replaceAll('\n', '')}\n-----`,
    ),
  'in Base64': base64,
  'in Base64 on several lines': text => base64(text).replaceAll(/.{76}/g, '$&\r\n'),
  'in Base64 with escaped line feeds': text => base64(text).replaceAll(/.{76}/g, '$&\\n'),
  'in Base64 twice': text => base64(base64(text)),
  'in Base64 of UTF-16': text =>
    base64(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])),
  'in Base64 of a text with a byte order mark': text => base64(`\uFEFF${text}`),
}

it.each(Object.entries(forms))('reads certificates and a key %s', (_, form) => {
  expect(readPem('certificate', form(chain))).toBe(chain)
  expect(readPem('private key', form(leaf.key))).toBe(leaf.key)
  expect(readPem('certificate', form(leaf.key + chain))).toBe(chain)
  expect(readPem('private key', form(chain + leaf.key))).toBe(leaf.key)
})

it('reads certificates under their other labels', () => {
  expect(readPem('certificate', relabelled('X509 CERTIFICATE')(chain))).toBe(chain)
  const trusted = relabelled('TRUSTED CERTIFICATE')(chain)
  expect(readPem('certificate', trusted)).toBe(trusted)
})

it.each([
  ['certificate', 'hello', 'text that is not a PEM certificate'],
  ['certificate', base64('hello'), 'text that is not a PEM certificate'],
  ['certificate', leaf.key, 'a private key instead of a certificate'],
  ['certificate', base64(leaf.key), 'a private key instead of a certificate'],
  ['certificate', chain.slice(0, 300), 'a PEM certificate that is cut off or damaged'],
  ['certificate', chain.replaceAll('a', '*'), 'a PEM certificate that is cut off or damaged'],
  [
    'certificate',
    '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
    'a certificate signing request, not a certificate',
  ],
  ['certificate', '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----', 'a PKCS #7 bundle'],
  [
    'certificate',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END PRIVATE KEY-----',
    'a PEM certificate that is cut off or damaged',
  ],
  ['private key', chain, 'a certificate instead of a private key'],
  [
    'private key',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----',
    'a private key with a passphrase',
  ],
  [
    'private key',
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----',
    'a private key with a passphrase',
  ],
  ['private key', 'Proc-Type:4,ENCRYPTED', 'a private key with a passphrase'],
  ['private key', base64('-----BEGIN PUBLIC KEY-----'), 'a public key'],
  [
    'certificate',
    '-----BEGIN NEW CERTIFICATE REQUEST -----',
    'a certificate signing request, not a certificate',
  ],
  // Not Base64, although a part of it is.
  ['certificate', `${base64(chain)}!`, 'text that is not a PEM certificate'],
  ['certificate', `!${base64(chain)}`, 'text that is not a PEM certificate'],
  // UTF-16 only with both bytes of its byte order mark.
  [
    'certificate',
    base64(Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.from(chain, 'utf16le')])),
    'text that is not a PEM certificate',
  ],
  [
    'certificate',
    base64(Buffer.concat([Buffer.from([0xfe, 0xfe]), Buffer.from(chain, 'utf16le')])),
    'text that is not a PEM certificate',
  ],
  [
    'private key',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----',
    'a private key in OpenSSH format',
  ],
] as const)('finds no %s in other text, and describes that', (kind, text, words) => {
  expect(readPem(kind, text)).toBeUndefined()
  expect(describeOtherPem(kind, text)).toBe(words)
})
