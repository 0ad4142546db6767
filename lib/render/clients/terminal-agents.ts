/** Configuration files and environment variables of coding agents in terminals. */
import { endpointUrl, originOf } from '../../appliance/names.ts'
import {
  type ClientConfiguration,
  type ClientValues,
  clientTimeout,
  json,
  maxAnswerTokens,
  shellExports,
} from './configuration.ts'

/** Of a session's prompt on the next day, 27 % are reused with the date in it, 100 % without (`make test-clients`). */
const openCodeWithoutDate = `const date = /^ *Today's date: .*\\n/m
export const WithoutDate = async () => ({
  'experimental.chat.system.transform': async (_, { system }) => {
    system.forEach((text, at) => (system[at] = text.replace(date, '')))
  },
})
`

const openCode = (values: ClientValues): ClientConfiguration => ({
  name: 'opencode',
  title: 'opencode',
  note: "The plugin leaves the date out of opencode's prompt: on the next day, a new session's prompt would be processed again from there on, all tools included.",
  snippets: [
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
              [values.model]: {
                limit: { context: values.contextSize, output: maxAnswerTokens(values) },
                // Otherwise opencode does not send thoughts back, and every prompt differs from the cached one there.
                ...(values.thoughts > 0 && {
                  reasoning: true,
                  interleaved: { field: 'reasoning_content' },
                }),
              },
            },
          },
        },
        model: `slm-copilot/${values.model}`,
        small_model: `slm-copilot/${values.model}`,
      }),
    },
    { place: '~/.config/opencode/plugin/without-date.js', text: openCodeWithoutDate },
    shellExports({ NODE_EXTRA_CA_CERTS: values.caFile }),
  ],
})

const claudeCode = (values: ClientValues): ClientConfiguration => ({
  name: 'claude-code',
  title: 'Claude Code',
  snippets: [
    shellExports({
      ANTHROPIC_BASE_URL: originOf(values.endpoint),
      ANTHROPIC_AUTH_TOKEN: values.key,
      ANTHROPIC_MODEL: values.model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: values.model,
      // Otherwise Claude Code assumes a million tokens for an unknown model.
      CLAUDE_CODE_MAX_CONTEXT_TOKENS: values.contextSize,
      CLAUDE_CODE_MAX_OUTPUT_TOKENS: maxAnswerTokens(values),
      API_TIMEOUT_MS: clientTimeout.milliseconds,
      CLAUDE_STREAM_IDLE_TIMEOUT_MS: clientTimeout.milliseconds,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: 1,
      // Both differ in each request, the first in its system prompt: nothing after them could be reused.
      CLAUDE_CODE_ATTRIBUTION_HEADER: 0,
      CLAUDE_CODE_TOTAL_TOKENS_REMINDER: 'off',
      NODE_EXTRA_CA_CERTS: values.caFile,
    }),
  ],
})

const codex = (values: ClientValues): ClientConfiguration => ({
  name: 'codex',
  title: 'Codex',
  snippets: [
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
    shellExports({ SLM_COPILOT_KEY: values.key, CODEX_CA_CERTIFICATE: values.caFile }),
  ],
})

const qwenCode = (values: ClientValues): ClientConfiguration => ({
  name: 'qwen-code',
  title: 'qwen-code',
  snippets: [
    {
      place: '~/.qwen/settings.json',
      text: json({
        security: { auth: { selectedType: 'openai' } },
        model: {
          name: values.model,
          generationConfig: {
            contextWindowSize: values.contextSize,
            samplingParams: { max_tokens: maxAnswerTokens(values) },
          },
        },
      }),
    },
    shellExports({
      OPENAI_BASE_URL: endpointUrl(values.endpoint),
      OPENAI_API_KEY: values.key,
      OPENAI_MODEL: values.model,
      QWEN_CODE_API_TIMEOUT_MS: clientTimeout.milliseconds,
      QWEN_STREAM_IDLE_TIMEOUT_MS: clientTimeout.milliseconds,
      NODE_EXTRA_CA_CERTS: values.caFile,
    }),
  ],
})

/** From aider's documentation; not covered by a test, since aider is distributed only through PyPI. */
const aider = (values: ClientValues): ClientConfiguration => ({
  name: 'aider',
  title: 'aider',
  snippets: [
    {
      place: '~/.aider.model.metadata.json',
      text: json({
        [`openai/${values.model}`]: {
          max_input_tokens: values.contextSize - maxAnswerTokens(values),
          max_output_tokens: maxAnswerTokens(values),
          litellm_provider: 'openai',
          mode: 'chat',
        },
      }),
    },
    shellExports({
      AIDER_OPENAI_API_BASE: endpointUrl(values.endpoint),
      AIDER_OPENAI_API_KEY: values.key,
      AIDER_MODEL: `openai/${values.model}`,
      AIDER_TIMEOUT: clientTimeout.seconds,
      SSL_CERT_FILE: values.caFile,
    }),
  ],
})

/** The configurations of all terminal agents. */
export const terminalAgents = (values: ClientValues): ClientConfiguration[] =>
  [openCode, claudeCode, codex, qwenCode, aider].map(configuration => configuration(values))
