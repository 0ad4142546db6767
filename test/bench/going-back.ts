/** What a hybrid, which cannot go back to any earlier token, computes again in the conversations that agents have. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkpointsOf } from '../../lib/appliance/sizing/memory.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { type BareLlama, startBareLlama, unpackedLlama } from '../mirror/bare-llama.ts'
import { randomTokens } from './asking.ts'
import { gridModels, settingsOf } from './memory.ts'
import { table } from './table.ts'

const settings = { contextSize: 4096, slots: 1, kvType: 'f16', batchSize: 64 } as const

/** Control tokens of the vocabulary that begin messages here, so that llama-server finds where users' begin. */
const begins = { tool: 0, user: 1, assistant: 2 }
const delimiters = [
  { role: 'tool', delimiter: '<unk>' },
  { role: 'user', delimiter: '<s>' },
  { role: 'assistant', delimiter: '</s>' },
]

const [instructions, thought, answer, result] = [500, 20, 8, 100]
const question = () => [begins.user, ...randomTokens(20), begins.assistant]
const toolResult = () => [begins.tool, ...randomTokens(result), begins.assistant]

type Conversation = {
  /** Sends these tokens, and returns those of the answer: thoughts first. */
  send(prompt: number[]): Promise<number[]>
  restart(): Promise<void>
  /** How many tokens of the last prompt were computed. */
  computed(): number
}

/** A first question, and as many calls after it, with the thoughts before each kept. */
async function withCalls(conversation: Conversation, calls: number) {
  const start = [...randomTokens(instructions), ...question()]
  const answers: number[][] = []
  const results: number[][] = []
  const history = (keep: (tokens: number[]) => number[]) => [
    ...start,
    ...answers.flatMap((said, index) => [...keep(said), ...(results[index] ?? [])]),
  ]
  for (let call = 0; call <= calls; call++) {
    answers.push(await conversation.send(history(said => said)))
    if (call < calls) results.push(toolResult())
  }
  return { start, answers, results, history }
}

const kept = (said: number[]) => said
const stripped = (said: number[]) => said.slice(thought)

/** Name → does what leads to the last request, and returns its prompt and how many of its tokens are new by right. */
const cases: Record<string, (conversation: Conversation) => Promise<{ prompt: number[]; fresh: number }>> = {
  'the next call, thoughts sent back': async conversation => {
    const { history } = await withCalls(conversation, 1)
    const added = toolResult()
    return { prompt: [...history(kept), ...added], fresh: added.length }
  },
  'the next call, thoughts not sent back': async conversation => {
    const { history, answers } = await withCalls(conversation, 0)
    const added = toolResult()
    return {
      prompt: [...history(stripped), ...added],
      fresh: added.length + (answers[0]?.length ?? 0) - thought,
    }
  },
  'the next question after five calls, thoughts kept': async conversation => {
    const { history } = await withCalls(conversation, 5)
    const added = question()
    return { prompt: [...history(kept), ...added], fresh: added.length }
  },
  'the same, thoughts removed from history': async conversation => {
    const { history, start } = await withCalls(conversation, 5)
    const prompt = [...history(stripped), ...question()]
    return { prompt, fresh: prompt.length - start.length }
  },
  'the last question put differently': async conversation => {
    const { history } = await withCalls(conversation, 2)
    await conversation.send([...history(kept), ...question()])
    const added = question()
    return { prompt: [...history(kept), ...added], fresh: added.length }
  },
  'an early tool result replaced, after five calls': async conversation => {
    const { start, answers, results, history } = await withCalls(conversation, 5)
    const before = start.length + (answers[0]?.length ?? 0)
    results[0] = toolResult()
    const prompt = [...history(kept), ...question()]
    return { prompt, fresh: prompt.length - before }
  },
  'history summed up: instructions and a new question': async conversation => {
    const { start } = await withCalls(conversation, 5)
    const added = question()
    return { prompt: [...start.slice(0, instructions), ...added], fresh: added.length }
  },
  'the next call after another conversation': async conversation => {
    const { history } = await withCalls(conversation, 1)
    await conversation.send([...randomTokens(150), ...question()])
    const added = toolResult()
    return { prompt: [...history(kept), ...added], fresh: added.length }
  },
  'the next call after a restart': async conversation => {
    const { history } = await withCalls(conversation, 1)
    await conversation.restart()
    const added = toolResult()
    return { prompt: [...history(kept), ...added], fresh: added.length }
  },
  'thoughts not sent back, after a restart': async conversation => {
    const { history, answers } = await withCalls(conversation, 1)
    await conversation.restart()
    const added = toolResult()
    const last = answers.at(-1) ?? []
    const prompt = [...history(kept).slice(0, -last.length), ...stripped(last), ...added]
    return { prompt, fresh: added.length + last.length - thought }
  },
}

/** Prints for each case how many tokens a hybrid and another model compute again, of how many. */
export async function benchGoingBack(): Promise<void> {
  const { program, remove } = await unpackedLlama()
  try {
    const models = { plain: gridModels.mixture, hybrid: gridModels.hybrid }
    const again: Record<string, Record<string, string>> = {}
    for (const [kind, make] of Object.entries(models))
      for (const [name, found] of Object.entries(await measure(program, await make())))
        again[name] = { ...again[name], [kind]: found }
    const rows = Object.entries(again).map(([name, { plain = '', hybrid = '' }]) => [name, plain, hybrid])
    console.log(table(['tokens computed again, of those in the prompt', 'other models', 'hybrids'], rows))
  } finally {
    remove()
  }
}

async function measure(program: string, model: string): Promise<Record<string, string>> {
  const { geometry } = await readModelFile(model)
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-slots-'))
  const env = {
    ...settingsOf(geometry, settings),
    LLAMA_ARG_MODEL: model,
    LLAMA_ARG_CTX_CHECKPOINTS: String(checkpointsOf(geometry)),
    LLAMA_ARG_CACHE_RAM: '4096',
  }
  const start = () => startBareLlama(program, env, ['--slot-save-path', folder])
  const found: Record<string, string> = {}
  let llama = await start()
  try {
    for (const [name, act] of Object.entries(cases)) {
      let computed = 0
      const conversation: Conversation = {
        send: async prompt => {
          const asked = await ask(llama, prompt)
          computed = asked.computed
          return asked.tokens
        },
        restart: async () => {
          await llama.post('/slots/0?action=save', { filename: 'slot' })
          await llama.stop()
          llama = await start()
          await llama.post('/slots/0?action=restore', { filename: 'slot' })
        },
        computed: () => computed,
      }
      const { prompt, fresh } = await act(conversation)
      await conversation.send(prompt)
      found[name] = `${Math.max(0, conversation.computed() - fresh)} of ${prompt.length}`
    }
    return found
  } finally {
    await llama.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

type Asked = { tokens: number[]; timings: { prompt_n: number } }

async function ask(llama: BareLlama, prompt: number[]): Promise<{ tokens: number[]; computed: number }> {
  const request = {
    prompt,
    n_predict: thought + answer,
    ignore_eos: true,
    temperature: 0,
    return_tokens: true,
  }
  const body = { ...request, message_delimiters: delimiters, id_slot: 0, cache_prompt: true }
  const { tokens, timings } = (await llama.post('/completion', body)) as Asked
  return { tokens, computed: timings.prompt_n }
}
