/** llama-server with the chat template of a catalogue model, to render conversations into prompts. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { catalogue } from '../../../lib/appliance/models/catalogue.ts'
import { stackLimit } from '../../../lib/appliance/requests/size.ts'
import { llamaSettings } from '../../../lib/render/units/llama.ts'
import { http, respondsOk } from '../../../lib/system/http.ts'
import { watch } from '../../../packer/build/watch.ts'
import type { Chat } from '../../conversations/chat.ts'
import { unpackedRelease } from '../../mirror/llama-release.ts'
import { llamaFile } from '../../mirror/llama-source.ts'
import { toolModel } from '../../mirror/tool-model.ts'
import { capacityFor } from '../../support/capacity.ts'

export type ModelName = keyof typeof catalogue
export type TemplateServer = {
  ask(path: string, json: object): ReturnType<typeof http>
  stop(): Promise<void>
}

/** Starts llama-server with a model's settings and template, but the weights of a small model. */
export async function startTemplateServer(name: ModelName, template: string): Promise<TemplateServer> {
  const folder = mkdtempSync(join(tmpdir(), `slm-copilot-template-${name}-`))
  const socket = join(folder, 'llama.sock')
  const templatePath = join(folder, 'template.jinja')
  writeFileSync(templatePath, template)
  const capacity = capacityFor(catalogue[name], { contextSize: 4096, parallel: 1, threads: 1 })
  const env = {
    ...llamaSettings(capacity),
    LLAMA_ARG_MODEL: await toolModel(),
    LLAMA_ARG_HOST: socket,
    LLAMA_ARG_CHAT_TEMPLATE_FILE: templatePath,
  }
  const limited = [`--stack=${stackLimit(capacity)}`, join(await unpackedRelease(), 'llama-server')]
  const llama = watch(spawn('prlimit', limited, { env, stdio: ['ignore', 'pipe', 'pipe'] }))
  await llama.until(() => respondsOk({ http }, 'http://x/health', socket))
  return {
    ask: (path, json) => http({ url: `http://x${path}`, socket, json, timeout: 60 }),
    stop: async () => {
      await llama.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The prompt, or undefined if the template or llama-server refuses the conversation. */
export async function renderPrompt(server: TemplateServer, chat: Chat): Promise<string | undefined> {
  const { status, body } = await server.ask('/apply-template', chat)
  const answer = JSON.parse(body)
  if (status === 200) return answer.prompt
  expect(answer.error.message).toMatch(/Jinja Exception|assistant message/)
  return undefined
}

/** Reads a template from llama.cpp's source, so that no copy of it is needed here. */
export const llamaTemplate = async (name: string) =>
  (await llamaFile(`models/templates/${name}.jinja`)).toString()

/** All texts in a conversation and its tools. */
const said = ({ messages, tools = [] }: Chat): string[] => [
  ...messages.flatMap(({ content, reasoning_content = '', tool_calls = [] }) => [
    ...(typeof content === 'string' ? [content] : (content ?? []).map(({ text }) => text)),
    reasoning_content,
    ...tool_calls.flatMap(({ function: { name, arguments: args } }) => [
      name,
      ...texts(typeof args === 'string' ? JSON.parse(args) : args),
    ]),
  ]),
  ...tools.flatMap(({ function: { name, description, parameters } }) => [
    name,
    description,
    ...Object.keys(parameters.properties),
    ...Object.values(parameters.properties).flatMap(property => property.description ?? []),
  ]),
]

/** All keys and strings in a value. */
const texts = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(texts)
  return Object.entries(value).flatMap(([key, each]) => [key, ...texts(each)])
}

/** The texts of a conversation that are missing from the prompt, both verbatim and JSON-encoded. */
export function missingTexts(prompt: string, chat: Chat): string[] {
  const escaped = (text: string) => JSON.stringify(text).slice(1, -1)
  return said(chat).filter(text => ![text.trim(), escaped(text)].some(each => prompt.includes(each)))
}
