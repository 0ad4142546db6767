/** Numbers that sizing, the context's variables and the commands share. */

/** Tokens: the shortest context that may be requested, and that a model may support. */
export const shortestContext = 512

/** Tokens: a context is not shortened below this; a model that fits with less is not served. */
export const leastContext = 4096

/** The most conversations at once. */
export const mostParallel = 64

/** Tokens: the default, and what coding agents need: their first prompt alone has 6,000 to 15,000. */
export const usefulContext = 32_768

/**
 * Tokens in a batch. Cancelling a request, and another conversation's next token, wait for the current batch:
 * 10 s if prompts are processed at 25 tokens per second. Prompts are no slower than with 512 or 2048 (`make
 * bench BENCH=batches`).
 */
export const batchSize = 256
