/** The settings of the edge proxy's program: rendered as JSON for nginx, and read there by the filter and its errors. */
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
  /** Generations at once. */
  slots: number
  /** Number of tokens in the model's vocabulary. */
  vocabulary: number
}
