/** The kinds of model services: a llama-server each, with a model of its own. */

/** Beside chat, which always runs: each runs only if it was asked for, or costs chat nothing. */
export const companionKinds = ['completion', 'embeddings', 'reranking'] as const
export type CompanionKind = (typeof companionKinds)[number]

export type ServiceKind = 'chat' | CompanionKind

/** Tokens of an answer of the completion service: if the request does not say, and at most. */
export const completionLength = { default: 128, max: 512 } as const

/** The prefix of a companion's paths between the two proxies: what follows is llama-server's own path. */
export const prefixOf = (kind: CompanionKind): string => `/${kind}`
