/** Failed requests: the body of nginx's own errors, and whose fault llama-server's are. */
import { checkLocation } from '../../appliance/requests/api.ts'
import { prefixOf, type ServiceKind } from '../../appliance/requests/services.ts'
import { errorBodyText } from '../error-messages.ts'
import { checkPathOf, isRejection, upstreamErrorText } from '../upstream-errors.ts'
import { answer, type NginxSettings, textOf } from './common.ts'

declare const settings: NginxSettings

/** The file exists only while there is a known reason. */
const unavailableReason = (): string => textOf(settings.unavailableReason).trim().slice(0, 500)

/** The file exists only while the VM is being drained. */
const drainingSince = (): string => textOf(settings.draining).trim().slice(0, 100)

/** The body of the error response that nginx is about to send. */
export function error(r: NginxHTTPRequest): string {
  const variables = r.variables
  const status = Number(variables.status)
  return errorBodyText(
    {
      status: status,
      method: r.method,
      target: variables.request_uri ?? '',
      path: variables.copilot_original_path ?? '',
      location: r.uri ?? '',
      isTls: variables.https === 'on',
      host: variables.http_host ?? '',
      contentType: variables.http_content_type ?? '',
      contentEncoding: variables.http_content_encoding ?? '',
      upstreamStatus: variables.upstream_status ?? '',
      exceeded: variables.upstream_http_x_copilot_limit ?? '',
      quota: variables.copilot_quota ?? '',
      service: variables.copilot_service ?? '',
      unavailableReason: status === 503 ? unavailableReason() : '',
      drainingSince: status === 503 ? drainingSince() : '',
    },
    settings,
  )
}

/** Sends the error response whose status nginx has set. */
export const sendError = (r: NginxHTTPRequest): void =>
  answer(r, Number(r.variables.status), r.variables.copilot_error_text ?? '')

/** Handles llama-server's 500s: if the request caused it, the response is 400 with llama-server's message. */
export function explainFailure(r: NginxHTTPRequest): void {
  const path = r.variables.copilot_original_path as string
  const service = r.variables.copilot_service as ServiceKind
  const check = checkPathOf(path)
  const answerWith = (status: number, message: string) =>
    answer(r, status, upstreamErrorText(path, status, message))
  if (check === undefined) {
    answerWith(500, 'The model server failed to handle the request.')
    return
  }
  const prefix = service === 'chat' ? '' : prefixOf(service)
  r.subrequest(checkLocation + prefix + check, { method: 'POST' }, reply => {
    r.variables.copilot_original_path = path
    const text = reply.responseText ?? ''
    if (isRejection(path, reply.status, text)) answerWith(400, text)
    else
      answerWith(500, 'The model server failed while it was generating the answer. Send the request again.')
  })
}
