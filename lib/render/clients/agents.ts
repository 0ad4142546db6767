/** Coding agents, in editors and terminals: their files and variables. */
import { endpointUrl } from '../../appliance/names.ts'
import {
  answerSize,
  type ClientConfiguration,
  type ClientValues,
  clientTimeout,
  exports,
  json,
} from './configuration.ts'

const openCode = (values: ClientValues): ClientConfiguration => ({
  name: 'opencode',
  title: 'opencode',
  parts: [
    {
      place: '~/.config/opencode/opencode.json',
      text: json({
        $schema: 'https://opencode.ai/config.json',
        provider: {
          'slm-copilot': {
            npm: '@ai-sdk/openai-compatible',
            name: 'SLM-Copilot',
            options: {
              baseURL: endpointUrl(values.endpoint),
              apiKey: values.key,
              timeout: false,
              headerTimeout: false,
              chunkTimeout: clientTimeout.milliseconds,
            },
            models: {
              [values.model]: { limit: { context: values.contextSize, output: answerSize(values) } },
            },
          },
        },
        model: `slm-copilot/${values.model}`,
        small_model: `slm-copilot/${values.model}`,
      }),
    },
    exports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

/** YAML's flow style is a superset of JSON, so values are written as JSON. */
const continueDev = (values: ClientValues): ClientConfiguration => ({
  name: 'continue',
  title: 'Continue, editors and `cn`',
  parts: [
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
      maxTokens: ${answerSize(values)}
${values.caFile === undefined ? '' : `    requestOptions:\n      caBundlePath: ${JSON.stringify(values.caFile)}\n`}`,
    },
    exports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

const cline = (values: ClientValues): ClientConfiguration => ({
  name: 'cline',
  title: 'Cline',
  parts: [
    {
      place: 'the editor, Settings > API Configuration',
      text: `API Provider        = OpenAI Compatible
Base URL            = ${endpointUrl(values.endpoint)}
API Key             = ${values.key}
Model ID            = ${values.model}
Context Window      = ${values.contextSize}
Max Output Tokens   = ${answerSize(values)}
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
              maxTokens: answerSize(values),
              timeout: clientTimeout.milliseconds,
            },
            tokenSource: 'manual',
            // Any date: without one Cline takes the file for broken and asks its maker's own service.
            updatedAt: '2026-01-01T00:00:00.000Z',
          },
        },
      }),
    },
    exports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

const claudeCode = (values: ClientValues): ClientConfiguration => ({
  name: 'claude-code',
  title: 'Claude Code',
  parts: [
    exports({
      ANTHROPIC_BASE_URL: endpointUrl(values.endpoint).replace(/\/v1$/, ''),
      ANTHROPIC_AUTH_TOKEN: values.key,
      ANTHROPIC_MODEL: values.model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: values.model,
      // It takes an unknown model's window for a million tokens.
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: values.contextSize,
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: answerSize(values),
      API_TIMEOUT_MS: clientTimeout.milliseconds,
      CLAUDE_STREAM_IDLE_TIMEOUT_MS: clientTimeout.milliseconds,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: 1,
      NODE_EXTRA_CA_CERTS: values.caFile,
    }),
  ],
})

const codex = (values: ClientValues): ClientConfiguration => ({
  name: 'codex',
  title: 'Codex',
  parts: [
    {
      place: '~/.codex/config.toml',
      text: `model = ${JSON.stringify(values.model)}
model_provider = "slm-copilot"
model_context_window = ${values.contextSize}

[model_providers.slm-copilot]
name = "SLM-Copilot"
base_url = ${JSON.stringify(endpointUrl(values.endpoint))}
env_key = "SLM_COPILOT_KEY"
wire_api = "responses"
stream_idle_timeout_ms = ${clientTimeout.milliseconds}
`,
    },
    exports({ SLM_COPILOT_KEY: values.key, CODEX_CA_CERTIFICATE: values.caFile }),
  ],
})

const qwenCode = (values: ClientValues): ClientConfiguration => ({
  name: 'qwen-code',
  title: 'qwen-code',
  parts: [
    {
      place: '~/.qwen/settings.json',
      text: json({
        security: { auth: { selectedType: 'openai' } },
        model: {
          name: values.model,
          generationConfig: {
            contextWindowSize: values.contextSize,
            samplingParams: { max_tokens: answerSize(values) },
          },
        },
      }),
    },
    exports({
      OPENAI_BASE_URL: endpointUrl(values.endpoint),
      OPENAI_API_KEY: values.key,
      OPENAI_MODEL: values.model,
      QWEN_CODE_API_TIMEOUT_MS: clientTimeout.milliseconds,
      QWEN_STREAM_IDLE_TIMEOUT_MS: clientTimeout.milliseconds,
      NODE_EXTRA_CA_CERTS: values.caFile,
    }),
  ],
})

/** By its documented variables: it comes by Python's index alone, so no test here runs it. */
const aider = (values: ClientValues): ClientConfiguration => ({
  name: 'aider',
  title: 'aider',
  parts: [
    {
      place: '~/.aider.model.metadata.json',
      text: json({
        [`openai/${values.model}`]: {
          max_input_tokens: values.contextSize - answerSize(values),
          max_output_tokens: answerSize(values),
          litellm_provider: 'openai',
          mode: 'chat',
        },
      }),
    },
    exports({
      AIDER_OPENAI_API_BASE: endpointUrl(values.endpoint),
      AIDER_OPENAI_API_KEY: values.key,
      AIDER_MODEL: `openai/${values.model}`,
      AIDER_TIMEOUT: clientTimeout.seconds,
      SSL_CERT_FILE: values.caFile,
    }),
  ],
})

/** The agents' configurations. */
export const agents = (values: ClientValues): ClientConfiguration[] =>
  [cline, continueDev, openCode, claudeCode, codex, qwenCode, aider].map(configuration =>
    configuration(values),
  )
