/** `GET /v1/models/NAME`, which llama-server has not. Pure; runs inside nginx. */
import { errorBody } from './errors.ts'
import { noSuchModel } from './words.ts'

const prefix = '/v1/models/'

/** The model by one of its names, in OpenAI's shape. */
export function modelAnswer(path: string, models: string[]): { status: number; body: object } {
  const name = path.slice(prefix.length)
  if (models.indexOf(name) !== -1) {
    return { status: 200, body: { id: name, object: 'model', created: 0, owned_by: 'slm-copilot' } }
  }
  return {
    status: 404,
    body: errorBody('openai', 404, noSuchModel(name, models), 'model_not_found', 'model'),
  }
}
