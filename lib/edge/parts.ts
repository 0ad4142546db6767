/**
 * Requests with many texts in parts, one after the other, so that others' requests get in between: llama-server computes all
 * texts of one before any of the next. Pure; runs inside nginx.
 */

/** A request for embeddings or for reranking, as the filter has written it. */
export type TextsRequest = { input?: string | string[]; query?: string; documents?: string[] }

/** Characters of one part, at most, if it has several texts: some 2,000 tokens. */
const charactersOfPart = 8192
/** Characters that each text counts in addition: however short, it is computed by itself. */
const overheadOfText = 128

/** The texts of each part, at least one. `preceding`: characters that llama-server puts before each. */
function grouped(texts: string[], preceding: number): string[][] {
  const groups: string[][] = []
  // Each text takes more than this: the first begins a part.
  let left = 0
  for (let i = 0; i < texts.length; i++) {
    const text = texts[i] as string
    left -= preceding + text.length + overheadOfText
    if (left < 0) {
      groups.push([])
      left = charactersOfPart - preceding - text.length - overheadOfText
    }
    ;(groups[groups.length - 1] as string[]).push(text)
  }
  return groups
}

/** The requests that a request is split into. */
export function partsOf(request: TextsRequest): TextsRequest[] {
  if (request.documents !== undefined)
    return grouped(request.documents, (request.query ?? '').length).map(documents =>
      Object.assign({}, request, { documents: documents }),
    )
  if (!Array.isArray(request.input)) return [request]
  return grouped(request.input, 0).map(input => Object.assign({}, request, { input: input }))
}

/** What was answered to a part, and how many texts it has. */
export type PartAnswer = { body: Buffer; texts: number }

type PartUsage = { prompt_tokens: number; total_tokens: number }
type PartRanking = { usage: PartUsage; results: { index: number; relevance_score: number }[] }

/** The answer to all parts of a request for reranking. */
export function rankingOf(request: TextsRequest & { top_n?: number }, answers: PartAnswer[]): string {
  const all = answers.map(one => JSON.parse(one.body.toString()) as PartRanking)
  const whole = all[0] as PartRanking
  let before = (answers[0] as PartAnswer).texts
  for (let i = 1; i < all.length; i++) {
    const part = all[i] as PartRanking
    const first = before
    part.results.forEach(result => {
      result.index += first
      whole.results.push(result)
    })
    whole.usage.prompt_tokens += part.usage.prompt_tokens
    whole.usage.total_tokens += part.usage.total_tokens
    before += (answers[i] as PartAnswer).texts
  }
  whole.results.sort((a, b) => b.relevance_score - a.relevance_score)
  whole.results = whole.results.slice(0, request.top_n ?? whole.results.length)
  return JSON.stringify(whole)
}

const dataStart = '"data":['
const indexKey = '"index":'
const usage = /"usage":\{"prompt_tokens":([0-9]+),"total_tokens":([0-9]+)\}/

/**
 * The answer to all parts of a request for embeddings. Vectors are megabytes, and njs frees nothing until the answer has
 * ended: so they are not parsed.
 */
export function vectorsOf(answers: PartAnswer[]): Buffer {
  const pieces: Buffer[] = []
  const add = (text: string) => pieces.push(Buffer.from(text))
  const sum: PartUsage = { prompt_tokens: 0, total_tokens: 0 }
  let start = ''
  let index = 0
  answers.forEach(answer => {
    const body = answer.body
    let at = body.indexOf(dataStart) + dataStart.length
    const head = body.slice(0, at).toString()
    const counts = usage.exec(head)
    sum.prompt_tokens += Number(counts === null ? 0 : counts[1])
    sum.total_tokens += Number(counts === null ? 0 : counts[2])
    if (start === '') start = head
    else add(',')
    for (let i = 0; i < answer.texts; i++) {
      const end = body.indexOf(indexKey, at) + indexKey.length
      pieces.push(body.slice(at, end))
      add(String(index))
      at = end + String(i).length
      index += 1
    }
    pieces.push(body.slice(at, body.lastIndexOf(']')))
  })
  add(']}')
  pieces.unshift(Buffer.from(start.replace(usage, `"usage":${JSON.stringify(sum)}`)))
  return Buffer.concat(pieces)
}
