/** Answers `GET /v1/models/NAME`, which llama-server does not have. Pure; runs inside nginx. */
import { errorBody } from './errors.ts'
import { unknownModelMessage } from './messages.ts'

const prefix = '/v1/models/'

/** The model under one of its names, in OpenAI's format. */
export function modelAnswer(path: string, models: string[]): { status: number; body: object } {
  const name = path.slice(prefix.length)
  if (models.indexOf(name) !== -1) {
    return { status: 200, body: { id: name, object: 'model', created: 0, owned_by: 'slm-copilot' } }
  }
  return {
    status: 404,
    body: errorBody('openai', 404, unknownModelMessage(name, models), 'model_not_found', 'model'),
  }
}
