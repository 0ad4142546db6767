/** The fields of requests for embeddings, and for reranking. */
import { either, type Fields, integer, list, longText, oneOf, required, unsupportedField } from './rules.ts'

/** Texts in one request: clients send an index in batches of tens to hundreds. */
const mostTexts = 2048

export const embeddings = (): Fields => ({
  input: required(either([longText, list(longText, mostTexts)])),
  encoding_format: oneOf(['float', 'base64']),
  dimensions: unsupportedField('the model decides how long its vectors are'),
})

export const rerank = (): Fields => ({
  query: required(longText),
  documents: required(list(longText, mostTexts)),
  top_n: integer(1, mostTexts),
})
