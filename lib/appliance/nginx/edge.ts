/** What the edge proxy takes and waits for, as it follows from the plan. */

/** Bytes that a request may have where nothing is expected: a body that is ignored. */
export const noBodyLimit = 1024

/** Seconds until the first byte of an answer: a whole context at one token a second, which is slower than any CPU that serves. */
export const answerTimeout = (contextSize: number) => Math.max(3600, contextSize)

/**
 * nginx's processes, the connections that each may have, and its file descriptors: two for each connection, and its own. A
 * connection that strangers leave at half a handshake takes about 45 KiB. More processes than small VMs have cores: a
 * stream waits only for the request that its own process parses.
 */
export const connections = { processes: 4, worker: 4096, descriptors: 16_384 } as const

/** Requests with a body that one key may have under way in one of nginx's processes: what bounds their memory. */
export const requestsOfKey = 16

/** Token counts and the like at once, beside the generations: small ones, and those that take memory (67 bytes for each of theirs). */
export const counters = { small: 8, large: 1, smallDigits: 5 } as const

/** Seconds that a connection may take for its handshake and its headers. */
export const headerTimeout = 10

/**
 * New connections that one address (of IPv6 a /64) may open, a second and at once. An office of hundreds behind one
 * address stays far below; beyond it a connection is made a second later, when its client asks again by itself.
 */
export const connectionRate = { perSecond: 50, burst: 500 } as const
