/** When one who was turned away is told to come again: not all at the same moment, and not too soon. */

/** Seconds. */
export type Turns = { least: number; most: number }

/**
 * Measured with 50 clients on 2 slots (`make bench BENCH=many`): a slot that was left is taken up sooner than where all
 * are told 5 seconds and come together, at half as many requests. The openai SDK by itself comes twice and no more.
 */
export const turns: Turns = { least: 5, most: 15 }

/** A variable that has each number of seconds as often as another, by chance. */
export const turnsMap = ({ least, most }: Turns) => {
  const share = Math.floor(10_000 / (most - least + 1)) / 100
  const lines = Array.from({ length: most - least }, (_, index) => `    ${share}% ${least + index};`)
  return ['split_clients $request_id $copilot_turn {', ...lines, `    * ${most};`, '}'].join('\n')
}
