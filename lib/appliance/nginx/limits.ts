/** Limits and time-outs of the edge and the admission proxy. */

/** Bytes of a request body where none is expected: it is read and ignored. */
export const noBodyLimit = 1024

/** Seconds until the first byte of an answer: a whole context at one token a second, slower than any CPU that is supported. */
export const answerTimeout = (contextSize: number) => Math.max(3600, contextSize)

/**
 * nginx's processes, the connections that each may have, and its file descriptors: two for each connection, and its own. A
 * connection that is left half-way through its handshake takes about 45 KiB. More processes than small VMs have cores: a
 * stream is delayed only by requests that its own process parses.
 */
export const connections = { processes: 4, worker: 4096, descriptors: 16_384 } as const

/** Concurrent requests with a body, for each key and nginx process: bounds the memory that one key can take. */
export const requestsOfKey = 16

/** Concurrent requests that generate nothing (token counts and the like): small ones, and large ones, which take 67 bytes of memory for each byte of theirs. */
export const counters = { small: 8, large: 1, smallDigits: 5 } as const

/** Seconds for a connection's handshake and headers. */
export const headerTimeout = 10

/**
 * New connections from one address (of IPv6, one /64): sustained rate a second, and burst. An office of hundreds behind one
 * address stays far below; beyond it, the client's TCP retransmission connects a second later.
 */
export const connectionRate = { perSecond: 50, burst: 500 } as const
