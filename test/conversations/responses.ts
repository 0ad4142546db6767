/** The same conversations in the format of `/v1/responses`, under the names of their counterparts in chat.ts. */
import { tools as chatTools } from './chat.ts'

const input = (role: string, ...texts: string[]) => ({
  type: 'message',
  role,
  content: texts.map(text => ({ type: 'input_text', text })),
})
const output = (...texts: string[]) => ({
  type: 'message',
  role: 'assistant',
  content: texts.map(text => ({ type: 'output_text', text, annotations: [] })),
})
const call = (call_id: string, name: string, args: object) => ({
  type: 'function_call',
  call_id,
  name,
  arguments: JSON.stringify(args),
})
const result = (call_id: string, said: unknown) => ({ type: 'function_call_output', call_id, output: said })

const tools = chatTools.map(({ function: { name, description, parameters } }) => ({
  type: 'function',
  name,
  description,
  parameters,
  strict: false,
}))
/** Codex adds tools that are not functions; llama-server ignores them. */
const asCodex = {
  tools: [...tools, { type: 'web_search' }, { type: 'namespace', name: 'browser', tools: [] }],
  tool_choice: 'auto',
  parallel_tool_calls: true,
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '7f3c',
}
const source = '1  def total(prices):\n2      return sum(prices)\n'
const agent = 'You are a coding agent. The project is in /home/dev/shop.\n\nKeep to what was asked.'

export const responses: Record<string, object> = {
  'a question': { input: 'Which sort is stable?' },
  'a system message and a question': { instructions: 'Answer in one line.', input: 'What is a mutex?' },
  'Codex: developers and two questions': {
    ...asCodex,
    instructions: 'You are a coding agent in a terminal.',
    input: [
      input('developer', 'The sandbox is read-only.'),
      input('developer', 'Approval is never asked for.'),
      input('user', '# AGENTS.md\nTests first.'),
      input('user', 'Say hi.'),
    ],
  },
  'Codex: the call and its result': {
    ...asCodex,
    instructions: 'You are a coding agent in a terminal.',
    input: [
      input('developer', 'The sandbox is read-only.'),
      input('user', 'What is in shop.py?'),
      call('call_Zk9', 'bash', { command: ['cat', 'shop.py'] }),
      result('call_Zk9', source),
    ],
  },
  'several calls at once': {
    instructions: agent,
    tools,
    input: [
      { role: 'user', content: 'Compare shop.py with its test.' },
      output('Both, then.'),
      call('a', 'read', { filePath: 'shop.py' }),
      call('b', 'read', { filePath: 'test_shop.py' }),
      call('c', 'bash', { command: ['git', 'diff'], background: false }),
      result('a', [{ type: 'input_text', text: source }]),
      result('b', 'import shop\n'),
      result('c', ''),
    ],
  },
  'thoughts before a call': {
    instructions: agent,
    tools,
    input: [
      { role: 'user', content: 'What is in shop.py?' },
      {
        type: 'reasoning',
        summary: [],
        content: [{ type: 'reasoning_text', text: 'I should read it.\nThen tell.' }],
      },
      call('r', 'read', { filePath: 'shop.py' }),
      result('r', source),
    ],
  },
  'an answer that has begun': {
    instructions: agent,
    tools,
    input: [{ role: 'user', content: 'Write it as JSON.' }, output('```json\n{')],
  },
}
