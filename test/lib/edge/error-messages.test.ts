import { expect, it } from 'vitest'
import { errorBodyText } from '../../../lib/edge/error-messages.ts'

const request = {
  status: 504,
  method: 'POST',
  target: '/v1/chat/completions',
  path: '/v1/chat/completions',
  location: '',
  isTls: true,
  host: 'localhost',
  contentType: 'application/json',
  contentEncoding: '',
  upstreamStatus: '504',
  unavailableReason: '',
}

it.each([
  [3600, 'an hour'],
  [14_400, '4 hours'],
  [32_768, '9.1 hours'],
])('says how long an answer may take: %d s is %s', (answerTimeout, words) => {
  const text = errorBodyText(request, { contextSize: 4096, bodyLimit: 1_048_576, answerTimeout })
  expect(text).toContain(`The answer took longer than ${words}. Use streaming`)
})
