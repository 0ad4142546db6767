/** The request filter: llama-server receives only what this writes. Runs inside nginx's JavaScript module. */
import type { EdgeCompanion, EdgeSettings } from '../appliance/requests/edge-settings.ts'
import type { ServiceKind } from '../appliance/requests/services.ts'
import { adapt } from './adapt.ts'
import { parseBody } from './body.ts'
import { checkFields, type FieldProblem } from './check.ts'
import { apiOf, errorBody, postRoute } from './errors.ts'
import { isObject, type JsonObject, put, remove, writeJson } from './json.ts'
import { limits } from './limits.ts'
import { describeValue, unknownModelMessage } from './messages.ts'
import { maxSchemas } from './schema.ts'
import { adaptToCompletion, gapProblem, hasSuffix, serviceOf } from './services.ts'
import { markTenant } from './tenant.ts'
import { adaptTexts, textsProblem } from './texts.ts'

type FilterSettings = Pick<EdgeSettings, 'models' | 'readsImages' | 'vocabulary' | 'companions'>
export type Filtered = { body: string; service: ServiceKind } | { status: number; error: object }

type Refusal = { status: number; message: string; code: string; field?: string | undefined }

const refused = (path: string, refusal: Refusal): Filtered => ({
  status: refusal.status,
  error: errorBody(apiOf(path), refusal.status, refusal.message, refusal.code, refusal.field),
})

const invalid = (path: string, problem: FieldProblem): Filtered =>
  refused(path, {
    status: 400,
    message: `${problem.message}.`,
    code: 'invalid_value',
    field: problem.field,
  })

/**
 * The body to send to llama-server, or the error. `text`: undefined if the body is not UTF-8; `salt`: the
 * tenant's, if tenants have separate caches.
 */
export function filterRequest(
  path: string,
  text: string | undefined,
  settings: FilterSettings,
  salt?: string,
): Filtered {
  const fields = postRoute(path)?.fields?.()
  if (fields === undefined) return refused(path, { status: 404, message: 'Unknown path.', code: 'not_found' })
  const parsed = parseBody(text)
  if (!('value' in parsed)) return refused(path, { status: 400, message: parsed.message, code: parsed.code })
  const request = parsed.value
  if (!isObject(request))
    return refused(path, {
      status: 400,
      message: `Expected a JSON object, got ${describeValue(request)}.`,
      code: 'invalid_json',
    })

  const service = serviceOf(path, request, settings)
  const companion = service === 'chat' ? undefined : settings.companions[service]
  const refusal = serviceRefusal(path, request, settings, service, companion)
  if (refusal !== undefined) return refused(path, refusal)

  const checked = checkFields(request, fields, '', {
    readsImages: settings.readsImages,
    vocabulary: (companion ?? settings).vocabulary,
    limits: limits,
    budget: { schemas: maxSchemas, values: limits.values },
  })
  if ('problem' in checked) return invalid(path, checked.problem)
  const kept = checked.value as JsonObject
  const problem = gapProblem(path, kept) ?? textsProblem(kept, companion) ?? adapt(kept)
  if (problem !== undefined) return invalid(path, problem)
  put(kept, 'model', companion === undefined ? (settings.models[0] as string) : companion.model)
  if (companion !== undefined && service === 'completion') adaptToCompletion(path, kept, companion)
  else remove(kept, 'suffix')
  adaptTexts(kept)
  markTenant(path, kept, salt, service)
  return { body: writeJson(kept), service: service }
}

/** Why no service on this appliance can answer a request; undefined if one can. */
function serviceRefusal(
  path: string,
  request: JsonObject,
  settings: FilterSettings,
  service: ServiceKind,
  companion: EdgeCompanion | undefined,
): Refusal | undefined {
  if (service !== 'chat' && companion === undefined)
    return {
      status: 404,
      message: `There is no service for ${service} on this appliance.`,
      code: 'no_such_service',
    }
  if (service === 'chat' && hasSuffix(path, request))
    return {
      status: 400,
      message: 'suffix: not supported: there is no service for completion on this appliance.',
      code: 'invalid_value',
      field: 'suffix',
    }
  if (isForRunningModel(request, settings, companion)) return undefined
  const names = companion === undefined ? settings.models : [companion.model]
  return {
    status: 404,
    message: unknownModelMessage(request.at.model, names),
    code: 'model_not_found',
    field: 'model',
  }
}

/** Whether a request names a running model, none, or chat's, as clients do that know only one. */
function isForRunningModel(
  request: JsonObject,
  settings: FilterSettings,
  companion: EdgeCompanion | undefined,
): boolean {
  const name = request.at.model ?? null
  if (name === null || name === companion?.model) return true
  return typeof name === 'string' && settings.models.indexOf(name) !== -1
}
