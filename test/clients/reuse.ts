/** How much of each prompt llama-server had cached, as its answers say: on all three APIs, streamed or not. */

/** Tokens of a prompt, and how many of them were cached. */
type Reuse = { prompt: number; cached: number }

const lastIn = (answer: string, name: string): number | undefined => {
  const found = [...answer.matchAll(new RegExp(`"${name}":(\\d+)`, 'g'))].at(-1)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Undefined if the answer has no counts: an error, or a count of tokens. */
function reuseIn(answer: string): Reuse | undefined {
  const [computed, reused] = [lastIn(answer, 'prompt_n'), lastIn(answer, 'cache_n')]
  if (computed !== undefined && reused !== undefined) return { prompt: computed + reused, cached: reused }
  // Anthropic counts cached tokens apart, and OpenAI among the prompt's.
  const read = lastIn(answer, 'cache_read_input_tokens')
  const input = lastIn(answer, 'input_tokens') ?? lastIn(answer, 'prompt_tokens')
  if (input === undefined) return undefined
  const cached = read ?? lastIn(answer, 'cached_tokens') ?? 0
  return { prompt: read === undefined ? input : input + read, cached }
}

/** The share that was cached of the longest prompt: an agent's others are for titles and the like. */
export function shareReused(answers: string[]): number {
  const found = answers.map(reuseIn).filter(reuse => reuse !== undefined)
  const [longest] = found.toSorted((one, other) => other.prompt - one.prompt)
  if (longest === undefined) throw new Error('no answer says how long its prompt was')
  return longest.cached / longest.prompt
}
