/** The settings of the edge proxy's program: rendered as JSON for nginx, and read there by the filter and its errors. */
import type { CompanionKind } from './services.ts'

/** What the filter needs to know of a service beside chat. */
export type EdgeCompanion = {
  /** The model's name. */
  model: string
  vocabulary: number
  /** Tokens that it reads at once. */
  contextSize: number
  /** Texts in one request, whose vectors are one answer. */
  texts: number
  /** Of a gap to be filled: bytes of further files, and characters before and after it. */
  extra: number
  prefix: number
  suffix: number
  /** The tokens around what precedes and what follows a gap. */
  infill?: { prefix: string; suffix: string; middle: string } | undefined
}

export type EdgeSettings = {
  /** The model's name, and further names that requests may use for it. */
  models: string[]
  /** Maximum tokens of a conversation. */
  contextSize: number
  /** Maximum bytes of a request's body. */
  bodyLimit: number
  /** Seconds that llama-server may send nothing. */
  answerTimeout: number
  readsImages: boolean
  companions: Partial<Record<CompanionKind, EdgeCompanion>>
  /** Generations at once. */
  slots: number
  /** Number of tokens in the model's vocabulary. */
  vocabulary: number
  /** Keys share a cache: nothing must say how much of a prompt was cached. */
  hidesCounts?: true
  /** On a router: the file with the models of its fleet. */
  fleetModels?: string
}
