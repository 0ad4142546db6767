/** Settings of editors and libraries for the services beside chat: code completion, embeddings. */
import { endpointUrl, originOf } from '../../appliance/names.ts'
import { type ClientConfiguration, type ClientValues, json, program, shellExports } from './configuration.ts'

const llamaVscode = ({ endpoint, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'llama-vscode',
  title: 'llama.vscode, completion',
  snippets: [
    {
      place: 'the settings.json of Visual Studio Code',
      text: json({
        'llama-vscode.endpoint': originOf(endpoint),
        'llama-vscode.api_key': key,
        ...(caFile !== undefined && { 'llama-vscode.self_signed_certificate': caFile }),
      }),
    },
  ],
})

/** llama.vim runs curl, which reads CURL_CA_BUNDLE. */
const llamaVim = ({ endpoint, key, caFile }: ClientValues): ClientConfiguration => ({
  name: 'llama-vim',
  title: 'llama.vim, completion',
  snippets: [
    {
      place: '~/.vimrc, before the plugin is loaded',
      text: `let g:llama_config = {
  \\ 'endpoint_fim': '${originOf(endpoint)}/infill',
  \\ 'api_key': '${key}'
  \\ }
`,
    },
    shellExports({ CURL_CA_BUNDLE: caFile }),
  ],
})

/** Zed writes the prompt with the model's own tokens, so it has to know the model's family. */
const zed = (values: ClientValues, model: string): ClientConfiguration => ({
  name: 'zed',
  title: 'Zed, completion',
  note: 'Zed trusts the CAs of the operating system.',
  snippets: [
    {
      place: '~/.config/zed/settings.json',
      text: json({
        edit_predictions: {
          provider: 'open_ai_compatible_api',
          open_ai_compatible_api: {
            api_url: `${endpointUrl(values.endpoint)}/completions`,
            model,
            prompt_format: 'qwen',
            max_output_tokens: 64,
          },
        },
      }),
    },
    shellExports({ ZED_OPEN_AI_COMPATIBLE_EDIT_PREDICTION_API_KEY: values.key }),
  ],
})

const langChain = (
  { endpoint, key, caFile }: ClientValues,
  { name, queryPrefix }: { name: string; queryPrefix: string },
): ClientConfiguration => ({
  name: 'langchain',
  title: 'LangChain, embeddings',
  note: 'Queries need the prefix. Documents need none, unless the model says so.',
  snippets: [
    shellExports({ OPENAI_API_KEY: key, NODE_EXTRA_CA_CERTS: caFile }),
    {
      place: `${program} (Node, @langchain/openai)`,
      text: `import { OpenAIEmbeddings } from "@langchain/openai"
const configuration = { baseURL: ${JSON.stringify(endpointUrl(endpoint))} }
const model = ${JSON.stringify(name)}
const embeddings = new OpenAIEmbeddings({ model, configuration, batchSize: 64 })
const prefix = ${JSON.stringify(queryPrefix)}

const documents = await embeddings.embedDocuments(["def add(a, b): ..."])
const query = await embeddings.embedQuery(prefix + "How are numbers added?")
console.log(documents[0].length, query.length)
`,
    },
  ],
})

/** The configurations for those of these services that the appliance has. */
export const companionClients = (values: ClientValues): ClientConfiguration[] => {
  const { completion, embeddings } = values.companions
  return [
    ...(completion === undefined ? [] : [llamaVscode(values), llamaVim(values), zed(values, completion)]),
    ...(embeddings === undefined ? [] : [langChain(values, embeddings)]),
  ]
}
