/** Retry-After for rejected requests: random, so that clients do not all retry at once. */

/** In seconds. */
export type RetryAfter = { least: number; most: number }

/**
 * Measured with 50 clients on 2 slots (`make bench BENCH=many`, generations of 7 s): slots are in use 88 % of
 * the time, with 8 retries on average. With a constant 5 s: 78 % and 22 retries. With generations of 39 s: 97
 * %.
 */
export const retryAfter: RetryAfter = { least: 5, most: 15 }

/** A variable with a uniformly distributed random number of seconds. */
export const retryAfterMap = ({ least, most }: RetryAfter) => {
  const share = Math.floor(10_000 / (most - least + 1)) / 100
  const lines = Array.from({ length: most - least }, (_, index) => `    ${share}% ${least + index};`)
  return ['split_clients $request_id $copilot_backoff {', ...lines, `    * ${most};`, '}'].join('\n')
}
