/** The smoke test's judgement of answers; its requests are tested with real services. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { smokeTest } from '../../../../lib/steps/services/smoke-test.ts'
import type { HttpRequest } from '../../../../lib/system/http.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

afterEach(() => vi.useRealTimers())

const events = ['data: {"choices":[]}\n\n', 'data: {"choices":[]}\n\n', 'data: [DONE]\n\n']
const models = JSON.stringify({ data: [{ id: 'a' }] })
const completion = JSON.stringify({ usage: { completion_tokens: 24 } })

/** A healthy appliance whose stream arrives so, after so many milliseconds. */
function streaming(arrivals: string[], milliseconds: number) {
  vi.useFakeTimers()
  const http = async ({ url, headers, json }: HttpRequest) => {
    const answer = (body: string, status = 200, pieces = [body]) => ({
      status,
      headers: {},
      body,
      arrivals: pieces,
    })
    if (url.endsWith('/health')) return answer('{"status":"ok"}')
    if (headers?.authorization === undefined) return answer('', 401)
    if (url.endsWith('/v1/models')) return answer(models)
    if (!(json as { stream?: boolean }).stream) return answer(completion)
    vi.advanceTimersByTime(milliseconds)
    return answer(arrivals.join(''), 200, arrivals)
  }
  return { ...recordedHost(), http }
}

const endpoint = { url: 'https://192.0.2.1/v1', key: 'k' }

describe('a stream', () => {
  it.each([
    ['piece by piece, slowly', events, 60_000],
    ['at once, within a moment', [events.join('')], 900],
  ])('passes if it arrives %s', async (_, arrivals, milliseconds) => {
    await expect(smokeTest(streaming(arrivals, milliseconds), endpoint, 'full')).resolves.toBeUndefined()
  })

  it.each([
    ['at once, after a while', [events.join('')], 1100, /came in too few pieces \(1\): something buffers/],
    [
      'in two pieces, after a while',
      [events[0] ?? '', events.slice(1).join('')],
      1100,
      /too few pieces \(2\)/,
    ],
    ['without its end', events.slice(0, 2), 10, /ended without \[DONE\]/],
  ])('fails if it arrives %s', async (_, arrivals, milliseconds, why) => {
    await expect(smokeTest(streaming(arrivals, milliseconds), endpoint, 'full')).rejects.toThrow(why)
  })
})
