/** Limits and time-outs of the edge and admission proxies. */
import type { Role } from '../fleet/backends.ts'

/** Bytes of a request body on paths that expect none: it is read and ignored. */
export const noBodyLimit = 1024

/**
 * Seconds that llama-server may send nothing: what an answer may take that is not streamed, since its first byte
 * comes with its last token. A whole context at one token per second, slower than any CPU.
 */
export const answerTimeout = (contextSize: number) => Math.max(3600, contextSize)

/**
 * nginx's worker processes, and the connections and file descriptors of each: two descriptors per connection,
 * and some of its own. A connection in mid-handshake takes about 45 KiB. There are more workers than small
 * VMs have cores, because a stream is delayed only by requests that its own worker parses.
 */
export const connections = { processes: 4, worker: 4096, descriptors: 16_384 } as const

/**
 * Concurrent requests that generate nothing (token counts and the like): small ones, and large ones, which
 * take 67 bytes of memory per byte of request. `smallDigits`: Content-Length of a small one has at most this
 * many digits. `tenant`, `largeOfTenant`: of one key, if there are several.
 */
export const counters = { small: 8, large: 2, smallDigits: 5, tenant: 6, largeOfTenant: 1 } as const

/**
 * Requests of one key per second, of whatever kind. Up to `burst` further ones are accepted: the first `immediate` of them
 * at once, the others in their turn. Bounds what fills the request log, what nginx has to refuse, and what llama-server goes
 * on with although its client has gone, which it notices only once it has the prompt's tokens.
 */
export const requestRate = { perSecond: 50, burst: 200, immediate: 20 } as const
/** On a router, which has the requests for a whole fleet. */
export const routedRate = { perSecond: 1000, burst: 4000, immediate: 1000 } as const

/** Requests without a key from one address (for IPv6, one /64) per second, and in a burst. */
export const openRate = { perSecond: 50, burst: 100 } as const

/** Requests that are not small: while it finds their tokens, one may take 400 bytes of memory for each of its bytes. */
export const largeRate = { burst: 20, immediate: 4 } as const

/** Large requests of one key per minute: fewer where they may be larger. */
export const largePerMinute = (bodyLimit: number): number =>
  Math.max(30, Math.floor((120 * 2 ** 20) / bodyLimit))

/** Concurrent requests without a body, per key, or without a key per address, and nginx worker. */
export const plainRequests = 32

/**
 * Seconds in which a client must take some of an answer: of one that is generated, and of any other. Over HTTP/2 a client
 * that takes nothing keeps a connection busy, so that nginx cannot close it in favour of another's.
 */
export const sendTimeouts = { generated: 120, other: 15 } as const

/** Bytes of memory on a router: of its system, and of a request in progress with the largest body. */
const routerMemory = { system: 400e6, request: 4.7e6 } as const

/**
 * Concurrent requests with a body, per key and nginx worker: bounds the memory that one key can take. One worker may get
 * nearly all connections, so it is never less than a copilot's slots, all of which may be one key's; a router, whose
 * fleet's slots are not known here, has as many as its memory is enough for.
 */
export const requestsOfKey = ({ role, slots, memory }: { role: Role; slots: number; memory: number }) =>
  role === 'router'
    ? Math.max(128, Math.floor((memory - routerMemory.system) / routerMemory.request))
    : Math.max(16, slots + counters.small)

/** Seconds for a connection's handshake and headers. */
export const headerTimeout = 10

/**
 * New connections from one address (for IPv6, one /64): sustained rate per second, and burst. An office of
 * hundreds behind one address stays far below; beyond the limit, the client's TCP retransmission connects a
 * second later.
 */
export const connectionRate = { perSecond: 50, burst: 500 } as const

/**
 * Requests in progress of each service beside chat: of all keys together, and of one. More than it computes at
 * once, since the end of a cancelled one may be a batch away, and nobody notices the wait for an index.
 */
export const companionLimits = {
  completion: { all: 6, tenant: 3 },
  // As few as their answers are large.
  embeddings: { all: 4, tenant: 2 },
  reranking: { all: 8, tenant: 4 },
} as const

/**
 * Numbers in the vectors of one answer: a thousand texts of the larger model. llama-server takes this many bytes for each
 * while it writes the answer, one at a time, and while the client reads it, which may take long (measured with v0.5.0: an
 * answer has 21 bytes for each, and its vectors 4). Of many texts, which are sent in parts, it has one part at a time; the
 * admission proxy then has the vectors of all parts, and the answer made of them.
 */
export const vectorLimits = { numbers: 2 ** 20, whileWritten: 96, whileRead: 25 } as const
