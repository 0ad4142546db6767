/** In the admission proxy: requests of the services that compute one text after the other. */
import { partsLocation } from '../../appliance/requests/api.ts'
import { type PartAnswer, partsOf, rankingOf, type TextsRequest, vectorsOf } from '../parts.ts'
import { answer } from './common.ts'

/**
 * Answers a request as llama-server would, but computes it in parts. If one fails, its error is the answer. It goes on even
 * if the client has gone, which nginx does not notice while a part is computed.
 */
export function inParts(r: NginxHTTPRequest): void {
  const request = JSON.parse(r.requestText ?? '') as TextsRequest
  const location = partsLocation + r.uri
  const parts = partsOf(request)
  if (parts.length < 2) {
    r.internalRedirect(location)
    return
  }
  const answers: PartAnswer[] = []
  const next = () => {
    const part = parts[answers.length] as TextsRequest
    r.subrequest(location, { method: 'POST', body: JSON.stringify(part) }, reply => {
      if (reply.status !== 200) {
        answer(r, reply.status, reply.responseText ?? '')
        return
      }
      answers.push({
        body: reply.responseBuffer as Buffer,
        texts: (part.documents ?? (part.input as string[])).length,
      })
      if (answers.length < parts.length) next()
      else if (request.documents !== undefined) answer(r, 200, rankingOf(request, answers))
      else answer(r, 200, vectorsOf(answers))
    })
  }
  next()
}
