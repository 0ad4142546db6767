import { expect, it } from 'vitest'
import { statusText } from '../../../../lib/render/text/status.ts'

const services = [
  { unit: 'slm-copilot.service', state: 'active since 2026-02-14T10:00:00Z' },
  { unit: 'slm-copilot-admission.service', state: 'active since 2026-02-14T10:00:00Z' },
  { unit: 'nginx.service', state: 'not active' },
]
const quiet = {
  endpoints: ['192.0.2.7'],
  services,
  model: 'a',
  pending: undefined,
  progress: undefined,
  notes: [],
}

it('fits into 80 columns and one screen, however long its texts', () => {
  const text = statusText({
    ...quiet,
    problem: undefined,
    pending: 'b',
    progress: `b is not downloaded yet: ${'x'.repeat(300)} Download failed: the server has no such file.`,
    notes: ['A note of some length that goes on and on until it has to be broken, and then goes on.'],
  })
  expect(text).toMatch(/^SLM-Copilot is serving a\.\n/)
  for (const words of ['https://192.0.2.7/v1', 'not active', 'pending model', 'no such file', 'goes on.'])
    expect(text).toContain(words)
  expect(text).toMatch(/admission\.service {2}active/)
  const lines = text.split('\n')
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80)
  expect(lines.length).toBeLessThan(25)
})

it.each([
  [
    { ...quiet, problem: 'It is loading.' },
    /^SLM-Copilot is not serving\.\n\n {2}reason +It is loading\./,
    /pending model/,
  ],
  [
    { ...quiet, problem: undefined, pending: 'b' },
    /pending model +b: slm-copilot-model\.service is not/,
    /undefined/,
  ],
])('shows status %#', (status, says, saysNot) => {
  expect(statusText(status)).toMatch(says)
  expect(statusText(status)).not.toMatch(saysNot)
})
