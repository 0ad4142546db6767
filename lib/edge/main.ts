/** What nginx calls (ngx_http_js_module), in the edge proxy and in the admission proxy. */
import {
  countBody,
  countHeaders,
  rewriteErrorBody,
  rewriteErrorHeaders,
  timeFirstByte,
} from './handlers/answers.ts'
import { error, explainFailure, sendError } from './handlers/failures.ts'
import { inParts } from './handlers/parts.ts'
import { filter, model, route } from './handlers/requests.ts'
import { metrics } from './handlers/scrape.ts'

export default {
  filter: filter,
  route: route,
  inParts: inParts,
  timeFirstByte: timeFirstByte,
  model: model,
  error: error,
  metrics: metrics,
  explainFailure: explainFailure,
  sendError: sendError,
  rewriteErrorHeaders: rewriteErrorHeaders,
  rewriteErrorBody: rewriteErrorBody,
  countHeaders: countHeaders,
  countBody: countBody,
}
