import { expect, it } from 'vitest'
import { redirectProblem, resultOf } from '../../../lib/system/curl.ts'

it.each([
  ['https://a.example/x', 'https://b.example/y', 0, undefined],
  ['http://a.example/x', 'http://a.example:81/y', 0, undefined],
  ['http://a.example/x', 'https://b.example/y', 0, undefined],
  ['https://a.example/x', 'http://a.example/x', 0, 'from https to http'],
  ['http://a.example/x', 'http://b.example/x', 0, 'to another host over http'],
  ['http://a.example/x', 'http://169.254.16.9:5030/', 0, 'to another host over http'],
  ['https://a.example/x', 'file:///etc/passwd', 0, 'to a URL with the scheme file:'],
  ['https://a.example/x', 'FILE:///etc/passwd', 0, 'to a URL with the scheme file:'],
  ['https://a.example/x', 'ftp://a.example/x', 0, 'to a URL with the scheme ftp:'],
  ['https://a.example/x', 'https://u:p@b.example/', 0, 'with credentials'],
  ['https://a.example/x', '', 0, 'to an invalid URL'],
  ['https://a.example/x', '/y', 0, 'to an invalid URL'],
  ['https://a.example/x', 'https://b.example/y', 5, 'more than 5 times'],
])('redirect from %s to %s after %d others: %s', (from, to, followed, problem) => {
  const expected = problem && `a.example redirects ${problem}, which is not allowed`
  expect(redirectProblem(from, to, followed)).toBe(expected)
})

const transfer = (from: number) => ({ url: 'https://a.example/x', output: '/x.part', from, size: 100 })

it.each([
  [0, 0, '200 ', '', { is: 'done' }],
  [7, 0, '206 ', '', { is: 'done' }],
  [7, 33, '200 ', 'curl: (33) HTTP server does not seem to support byte ranges.', { is: 'not resumable' }],
  [7, 0, '416 ', '', { is: 'not resumable' }],
  [0, 0, '302 https://b.example/', '', { is: 'redirect', to: 'https://b.example/' }],
  [0, 153, '', '', { is: 'wrong file', reason: expect.stringContaining('more than the file') }],
  [0, 63, '200 ', '', { is: 'wrong file', reason: expect.stringContaining('more than the file') }],
  [0, 137, '', '', { is: 'failed', isTransient: false, reason: 'curl was killed by signal 9' }],
  [
    0,
    6,
    '000 ',
    'curl: (6) Could not resolve host: a.example',
    { is: 'failed', isTransient: false, reason: 'could not resolve host: a.example' },
  ],
  [0, 7, '000 ', 'curl: (7) Failed to connect to a.example port 443', { is: 'failed', isTransient: true }],
  [
    0,
    60,
    '000 ',
    'curl: (60) SSL certificate problem: certificate has expired',
    {
      is: 'failed',
      isTransient: false,
      fix: "Check the certificate of a.example, and this machine's clock.",
    },
  ],
  [0, 28, '200 ', 'curl: (28) Operation too slow. Less than 10', { is: 'failed', isTransient: false }],
  [0, 28, '000 ', 'curl: (28) Connection timed out after 30001 ms', { is: 'failed', isTransient: true }],
  [0, 22, '503 ', 'curl: (22) The requested URL returned error: 503', { is: 'failed', isTransient: true }],
  [0, 22, '404 ', 'curl: (22) The requested URL returned error: 404', { is: 'failed', isTransient: false }],
  [0, 23, '200 ', 'curl: (23) Failure writing output', { isTransient: false, fix: 'Check the disk.' }],
])('from byte %d, curl exits with %d after printing %j %j', (from, code, stdout, stderr, result) => {
  expect(resultOf({ exitCode: code, stdout, stderr }, transfer(from))).toMatchObject(result)
})
