/** Tokens per second from llama-server's journal, which has two lines with the timings of each request. */

/** Fewer tokens, as when a prompt is cached, say nothing about the speed. */
const fewest = 8

type Rates = { requests: number; prompt: number | null; generation: number | null }

/** `journal`: its lines, such as `… prompt eval time = 27.68 ms / 16 tokens (…)`. */
export function tokenRates(journal: string): Rates {
  const sums = { prompt: { tokens: 0, ms: 0 }, generation: { tokens: 0, ms: 0 } }
  let requests = 0
  for (const [, prompt, ms, count] of journal.matchAll(
    /(prompt )?eval time = +([\d.]+) ms \/ +(\d+) tokens/g,
  )) {
    if (prompt === undefined) requests += 1
    const tokens = Number(count)
    if (tokens < fewest) continue
    const sum = sums[prompt === undefined ? 'generation' : 'prompt']
    sum.tokens += tokens
    sum.ms += Number(ms)
  }
  const rate = ({ tokens, ms }: { tokens: number; ms: number }) =>
    ms === 0 ? null : Number(((tokens / ms) * 1000).toPrecision(3))
  return { requests, prompt: rate(sums.prompt), generation: rate(sums.generation) }
}
