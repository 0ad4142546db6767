/** SDKs: code and environment variables for programs that use the appliance. */
import { endpointUrl, originOf } from '../../appliance/names.ts'
import { type ClientConfiguration, type ClientValues, program, shellExports } from './configuration.ts'

const streamed =
  'Use streaming: keep-alive comments then hold the connection open while the prompt is processed, which can take minutes. Without streaming nothing is sent until the answer is complete, and Node gives up after five minutes.'

const openAi = ({ endpoint, model, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'openai',
  title: 'openai SDK, Node and Python',
  note: streamed,
  snippets: [
    shellExports({
      OPENAI_BASE_URL: endpointUrl(endpoint),
      OPENAI_API_KEY: key,
      NODE_EXTRA_CA_CERTS: caFile,
      // For Python.
      SSL_CERT_FILE: caFile,
    }),
    {
      place: `${program} (Node)`,
      text: `import OpenAI from "openai"
const client = new OpenAI()
const model = ${JSON.stringify(model)}

const messages = [{ role: "user", content: "Hello" }]
const request = { model, messages, stream: true }
const stream = await client.chat.completions.create(request)
for await (const { choices } of stream)
  process.stdout.write(choices[0]?.delta.content ?? "")
`,
    },
    {
      place: `${program} (Python)`,
      text: `from openai import OpenAI
messages = [{"role": "user", "content": "Hello"}]
stream = OpenAI().chat.completions.create(
    model=${JSON.stringify(model)}, messages=messages, stream=True)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
`,
    },
  ],
})

const aiSdk = ({ endpoint, model, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'ai-sdk',
  title: 'AI SDK, with @ai-sdk/openai-compatible',
  note: streamed,
  snippets: [
    shellExports({ SLM_COPILOT_KEY: key, NODE_EXTRA_CA_CERTS: caFile }),
    {
      place: program,
      text: `import { createOpenAICompatible } from "@ai-sdk/openai-compatible"
import { streamText } from "ai"
const copilot = createOpenAICompatible({
  name: "slm-copilot",
  baseURL: ${JSON.stringify(endpointUrl(endpoint))},
  apiKey: process.env.SLM_COPILOT_KEY,
})
const model = copilot(${JSON.stringify(model)})

const { textStream } = streamText({ model, prompt: "Hello" })
for await (const text of textStream) process.stdout.write(text)
`,
    },
  ],
})

const anthropic = ({ endpoint, model, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'anthropic',
  title: 'Anthropic SDK, Node',
  note: streamed,
  snippets: [
    shellExports({
      ANTHROPIC_BASE_URL: originOf(endpoint),
      ANTHROPIC_API_KEY: key,
      NODE_EXTRA_CA_CERTS: caFile,
    }),
    {
      place: program,
      text: `import Anthropic from "@anthropic-ai/sdk"
const client = new Anthropic()
const model = ${JSON.stringify(model)}

const messages = [{ role: "user", content: "Hello" }]
const stream = client.messages.stream({ model, messages, max_tokens: 1024 })
stream.on("text", text => process.stdout.write(text))
await stream.done()
`,
    },
  ],
})

/** The SDKs' configurations. */
export const sdks = (values: ClientValues): ClientConfiguration[] => [
  openAi(values),
  aiSdk(values),
  anthropic(values),
]
