/** The request filter: what llama-server receives is what is written here. Runs inside nginx's JavaScript module. */
import { checkFields, type Problem, type Settings } from './check.ts'
import { apiOf, errorBody, postRoute } from './errors.ts'
import { isObject, type JsonObject, parseJson, put, writeJson } from './json.ts'
import { shown } from './shown.ts'

export type { Settings }
export type Filtered = { body: string } | { status: number; error: object }

/** A request's own limits: levels, values in all, keys of one object. */
export const limits = { depth: 64, values: 500_000, keys: 1000 }

/** `text` is undefined where the body was not UTF-8. */
export function filterRequest(path: string, text: string | undefined, settings: Settings): Filtered {
  const api = apiOf(path)
  const refuse = (status: number, message: string, code?: string, param?: string): Filtered => ({
    status: status,
    error: errorBody(api, status, message, code, param),
  })

  const route = postRoute(path)
  if (route?.fields === undefined) return refuse(404, 'There is no such path here.', 'not_found')
  if (text === undefined) return refuse(400, 'The request is not valid UTF-8.', 'invalid_encoding')

  const parsed = parseJson(text, limits)
  if ('problem' in parsed) {
    return refuse(
      400,
      `The request is not JSON: ${parsed.problem} at character ${parsed.position}.`,
      'invalid_json',
    )
  }
  if (!isObject(parsed.value)) return refuse(400, 'The request takes a JSON object.', 'invalid_json')

  const unknown = unknownModel(parsed.value, settings)
  if (unknown !== undefined) return refuse(404, unknown, 'model_not_found', 'model')

  const checked = checkFields(parsed.value, route.fields, '', settings)
  if ('problem' in checked) return refuseProblem(refuse, checked.problem)

  const kept = checked.value as JsonObject
  put(kept, 'model', settings.models[0] as string)
  return { body: writeJson(kept) }
}

const refuseProblem = (
  refuse: (status: number, message: string, code?: string, param?: string) => Filtered,
  problem: Problem,
) => refuse(400, `${problem.message}.`, 'invalid_value', problem.path)

/** A request without a model means the one that is served. */
function unknownModel(request: JsonObject, settings: Settings): string | undefined {
  const name = request.at.model
  if (name === undefined || name === null) return undefined
  if (typeof name === 'string' && settings.models.indexOf(name) !== -1) return undefined
  return `There is no model ${shown(name)} here; there is ${settings.models.join(', ')}.`
}
