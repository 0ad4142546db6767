import { describe, expect, it } from 'vitest'
import { hideCounts, isGenerated, nextLines } from '../../../lib/edge/cache-counts.ts'

const timings = (cached: number, computed: number) => ({
  cache_n: cached,
  prompt_n: computed,
  prompt_ms: 812.5,
  prompt_per_token_ms: 2.03,
  prompt_per_second: 492.3,
  predicted_n: 7,
  predicted_ms: 90.25,
})
const hiddenTimings = {
  ...timings(0, 500),
  prompt_ms: 0,
  prompt_per_token_ms: 0,
  prompt_per_second: 0,
}
const openAi = (cached: number) => ({
  completion_tokens: 7,
  prompt_tokens: 500,
  total_tokens: 507,
  prompt_tokens_details: { cached_tokens: cached },
})
const responses = (cached: number) => ({
  input_tokens: 500,
  output_tokens: 7,
  input_tokens_details: { cached_tokens: cached },
})
const anthropic = (cached: number) => ({
  cache_read_input_tokens: cached,
  input_tokens: 500 - cached,
  output_tokens: 7,
})
const progress = (cached: number, processed: number, time: number) => ({
  total: 500,
  cache: cached,
  processed,
  time_ms: time,
})

/** Output that looks like counts: in strings, and in a tool call's input, JSON in Anthropic's API. */
const words =
  'It says "usage":{"cached_tokens":77,"cache_n":77} and "timings":{"cache_n":77}\n\ndata: {"cache_n":77} ü€😀'
const input = {
  usage: anthropic(77),
  timings: timings(77, 423),
  id_slot: 3,
  message: { usage: anthropic(77) },
}

/** Name, llama-server's answer, and what the client receives. */
const answers: [string, object, object][] = [
  [
    'a chat',
    { choices: [{ message: { content: words } }], usage: openAi(400), timings: timings(400, 100) },
    { choices: [{ message: { content: words } }], usage: openAi(0), timings: hiddenTimings },
  ],
  [
    "a chat's last event",
    { choices: [], usage: openAi(499), timings: timings(499, 1) },
    { choices: [], usage: openAi(0), timings: hiddenTimings },
  ],
  [
    'progress, scaled from the part that was not cached',
    { choices: [{ delta: { role: 'assistant' } }], prompt_progress: progress(400, 450, 31) },
    { choices: [{ delta: { role: 'assistant' } }], prompt_progress: progress(0, 250, 0) },
  ],
  [
    'progress, everything cached',
    { prompt_progress: progress(500, 500, 0) },
    { prompt_progress: progress(0, 500, 0) },
  ],
  [
    'a message with a tool call',
    {
      content: [
        { type: 'tool_use', input },
        { type: 'text', text: words },
      ],
      usage: anthropic(400),
    },
    {
      content: [
        { type: 'tool_use', input },
        { type: 'text', text: words },
      ],
      usage: anthropic(0),
    },
  ],
  [
    "a message's first event",
    { type: 'message_start', message: { content: [], usage: anthropic(400) } },
    { type: 'message_start', message: { content: [], usage: anthropic(0) } },
  ],
  [
    'a response',
    { output: [{ content: [{ text: words }] }], usage: responses(400) },
    { output: [{ content: [{ text: words }] }], usage: responses(0) },
  ],
  [
    "a response's last event",
    { response: { output: [{ text: words }], usage: responses(400) }, timings: timings(400, 100) },
    { response: { output: [{ text: words }], usage: responses(0) }, timings: hiddenTimings },
  ],
  [
    'an infill',
    { content: words, id_slot: 3, tokens_evaluated: 500, timings: timings(400, 100) },
    { content: words, id_slot: 0, tokens_evaluated: 500, timings: hiddenTimings },
  ],
  [
    'an infill with requested fields',
    { content: words, 'timings/prompt_n': 100, 'timings/cache_n': 400, 'timings/predicted_n': 7 },
    { content: words, 'timings/prompt_n': 0, 'timings/cache_n': 0, 'timings/predicted_n': 7 },
  ],
  [
    'an answer without counts',
    { choices: [{ delta: { content: words } }] },
    { choices: [{ delta: { content: words } }] },
  ],
  ['the slot alone', { content: 'a', id_slot: 3 }, { content: 'a', id_slot: 0 }],
  [
    'counts that are not numbers',
    { usage: { cache_read_input_tokens: '9', input_tokens: 1 } },
    { usage: { cache_read_input_tokens: 0, input_tokens: 1 } },
  ],
]

describe('counts look as if nothing had been cached', () => {
  it.each(answers)('%s', (_, given, expected) => {
    expect(JSON.parse(hideCounts(JSON.stringify(given)))).toEqual(expected)
  })

  it('makes answers equal that differ only in what was cached', () => {
    const hidden = [0, 1, 250, 499].map(cached =>
      hideCounts(
        JSON.stringify({
          usage: openAi(cached),
          timings: timings(cached, 500 - cached),
          message: { usage: anthropic(cached) },
        }),
      ),
    )
    expect(new Set(hidden).size).toBe(1)
  })

  it('passes on no invalid JSON', () => {
    expect(hideCounts('{"usage":{"cached_tokens":5}')).toBe('{}')
  })
})

const stream = (which: 1 | 2, some = answers) =>
  `event: message_start\n${some.map(answer => `data: ${JSON.stringify(answer[which])}\n\n`).join(': ping\n\n')}data: [DONE]\n\n`

/** What the filter passes on of consecutive pieces. */
function filtered(pieces: Buffer[]): { text: string; passed: number[] } {
  let held: Buffer[] = []
  const out: Buffer[] = []
  pieces.forEach((piece, index) => {
    const next = nextLines(held, piece, index === pieces.length - 1)
    held = next.held
    out.push(Buffer.from(next.lines as string))
  })
  return { text: Buffer.concat(out).toString(), passed: out.map(({ length }) => length) }
}

describe('an answer in pieces', () => {
  const bytes = Buffer.from(stream(1))

  it('may be cut at any byte', () => {
    const few = [answers[1], answers[5], answers[10]] as typeof answers
    const whole = Buffer.from(stream(1, few))
    const cuts = Array.from({ length: whole.length + 1 }, (_, cut) => cut)
    const wrong = cuts.filter(
      cut => filtered([whole.subarray(0, cut), whole.subarray(cut)]).text !== stream(2, few),
    )
    expect(wrong).toEqual([])
  })

  it.each([1, 2, 3, 7, 64, 1000])('may come in pieces of %d bytes', size => {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    expect(filtered([...pieces, Buffer.alloc(0)]).text).toBe(stream(2))
  })

  it('is passed on at once in whole events', () => {
    const events = stream(1)
      .split(/(?<=\n\n)/)
      .map(event => Buffer.from(event))
    expect(Math.min(...filtered(events).passed)).toBeGreaterThan(0)
  })

  it('is held until its end if it is not a stream', () => {
    const [, given, expected] = answers[0] as (typeof answers)[number]
    const text = Buffer.from(JSON.stringify(given))
    const { text: out, passed } = filtered([text.subarray(0, 100), text.subarray(100), Buffer.alloc(0)])
    expect(passed.slice(0, 2)).toEqual([0, 0])
    expect(JSON.parse(out)).toEqual(expected)
  })
})

it.each([
  ['/v1/chat/completions', true],
  ['/infill', true],
  ['/completion/infill', true],
  ['/completion/v1/completions', true],
  ['/v1/embeddings', false],
  ['/v1/messages/count_tokens', false],
  ['/elsewhere/completion/infill', false],
  ['/health', false],
])('looks for counts in what is answered at %s: %s', (path, isLookedFor) => {
  expect(isGenerated(path)).toBe(isLookedFor)
})
