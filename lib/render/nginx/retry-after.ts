/** Retry-After for rejected requests: at random, so that clients do not all come back at once. */

/** Seconds. */
export type RetryAfter = { least: number; most: number }

/**
 * Measured with 50 clients on 2 slots (`make bench BENCH=many`, generations of 7 s): slots in use for 88 % of the time,
 * 8 retries on average. With 5 seconds for all: 78 % and 22. With generations of 39 s: 97 %.
 */
export const retryAfter: RetryAfter = { least: 5, most: 15 }

/** A variable with a random number of seconds, uniformly distributed. */
export const retryAfterMap = ({ least, most }: RetryAfter) => {
  const share = Math.floor(10_000 / (most - least + 1)) / 100
  const lines = Array.from({ length: most - least }, (_, index) => `    ${share}% ${least + index};`)
  return ['split_clients $request_id $copilot_backoff {', ...lines, `    * ${most};`, '}'].join('\n')
}
