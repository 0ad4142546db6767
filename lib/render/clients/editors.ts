/** Configuration files and settings of coding agents in editors. */
import { endpointUrl } from '../../appliance/names.ts'
import {
  type ClientConfiguration,
  type ClientValues,
  clientTimeout,
  json,
  maxAnswerTokens,
  shellExports,
} from './configuration.ts'

const cline = (values: ClientValues): ClientConfiguration => ({
  name: 'cline',
  title: 'Cline',
  snippets: [
    {
      place: 'the editor, Settings > API Configuration',
      text: `API Provider        = OpenAI Compatible
Base URL            = ${endpointUrl(values.endpoint)}
API Key             = ${values.key}
Model ID            = ${values.model}
Context Window      = ${values.contextSize}
Max Output Tokens   = ${maxAnswerTokens(values)}
`,
    },
    {
      place: '~/.cline/data/settings/providers.json',
      text: json({
        version: 1,
        lastUsedProvider: 'openai-compatible',
        providers: {
          'openai-compatible': {
            settings: {
              provider: 'openai-compatible',
              apiKey: values.key,
              model: values.model,
              baseUrl: endpointUrl(values.endpoint),
              contextWindow: values.contextSize,
              maxTokens: maxAnswerTokens(values),
              timeout: clientTimeout.milliseconds,
            },
            tokenSource: 'manual',
            // Any date will do. Without one Cline considers the file broken, and falls back to its vendor's
            // service.
            updatedAt: '2026-01-01T00:00:00.000Z',
          },
        },
      }),
    },
    shellExports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

const trusting = ({ caFile }: ClientValues) =>
  caFile === undefined ? '' : `    requestOptions:\n      caBundlePath: ${JSON.stringify(caFile)}\n`

/** `provider`: decides what Continue requests: only vLLM's uses /v1/rerank. `more`: further lines. */
type ContinueModel = { model: string; provider: string; role: string; more?: string }

/** A further model in Continue's configuration. */
const continueModel = (values: ClientValues, { model, provider, role, more = '' }: ContinueModel) =>
  `  - name: SLM-Copilot ${role}
    provider: ${provider}
    model: ${JSON.stringify(model)}
    apiBase: ${JSON.stringify(endpointUrl(values.endpoint))}
    apiKey: ${JSON.stringify(values.key)}
    roles: [${role}]
${more}${trusting(values)}`

function continueCompanions(values: ClientValues): string {
  const { completion, embeddings, reranking } = values.companions
  const more = '    embedOptions:\n      maxChunkSize: 512\n      maxBatchSize: 32\n'
  const models: ContinueModel[] = [
    ...(completion ? [{ model: completion, provider: 'openai', role: 'autocomplete' }] : []),
    ...(embeddings ? [{ model: embeddings.name, provider: 'openai', role: 'embed', more }] : []),
    ...(reranking ? [{ model: reranking, provider: 'vllm', role: 'rerank' }] : []),
  ]
  // The core of June 2026 indexes only for what needs it, and in this order: codebase searches the pieces that code made.
  const context = embeddings ? 'context:\n  - provider: code\n  - provider: codebase\n' : ''
  return models.map(model => continueModel(values, model)).join('') + context
}

/** YAML's flow style is a superset of JSON, so values are written as JSON. */
const continueDev = (values: ClientValues): ClientConfiguration => ({
  name: 'continue',
  title: 'Continue (editors, cn)',
  snippets: [
    {
      place: '~/.continue/config.yaml',
      text: `name: SLM-Copilot
version: 1.0.0
schema: v1
models:
  - name: SLM-Copilot
    provider: openai
    model: ${JSON.stringify(values.model)}
    apiBase: ${JSON.stringify(endpointUrl(values.endpoint))}
    apiKey: ${JSON.stringify(values.key)}
    roles: [chat, edit, apply]
    capabilities: [tool_use]
    defaultCompletionOptions:
      contextLength: ${values.contextSize}
      maxTokens: ${maxAnswerTokens(values)}
${trusting(values)}${continueCompanions(values)}`,
    },
    shellExports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

/** The configurations of all editors. */
export const editors = (values: ClientValues): ClientConfiguration[] => [cline(values), continueDev(values)]
