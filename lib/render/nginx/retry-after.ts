/** When one who was turned away is told to come again: not all at the same moment, and not too soon. */

/** Seconds. */
export type RetryAfter = { least: number; most: number }

/**
 * Measured with 50 clients on 2 slots (`make bench BENCH=many`, generations of 7 s): slots in use for 88 % of the time,
 * 8 retries in the mean, where all told 5 seconds come together: 78 % and 22. With generations of 39 s: 97 %.
 */
export const retryAfter: RetryAfter = { least: 5, most: 15 }

/** A variable that has each number of seconds as often as another, by chance. */
export const retryAfterMap = ({ least, most }: RetryAfter) => {
  const share = Math.floor(10_000 / (most - least + 1)) / 100
  const lines = Array.from({ length: most - least }, (_, index) => `    ${share}% ${least + index};`)
  return ['split_clients $request_id $copilot_delay {', ...lines, `    * ${most};`, '}'].join('\n')
}
