/** Tokens per second from llama-server's metrics: how many it has computed since it started, and in how many seconds. */

type Rates = { prompt: number | null; generation: number | null }

/** Fewer tokens say nothing about the speed. */
const fewest = 8

/** `metrics`: in Prometheus's text format. */
export function tokenRates(metrics: string): Rates {
  const total = (name: string) =>
    Number(new RegExp(`^llamacpp:${name} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN)
  const rate = (tokens: number, seconds: number) =>
    tokens >= fewest && seconds > 0 ? Number((tokens / seconds).toPrecision(3)) : null
  return {
    prompt: rate(total('prompt_tokens_total'), total('prompt_seconds_total')),
    generation: rate(total('tokens_predicted_total'), total('tokens_predicted_seconds_total')),
  }
}
