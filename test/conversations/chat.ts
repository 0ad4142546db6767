/** Conversations in the format in which clients send them to `/v1/chat/completions`; the texts are our own. */

type Content = string | { type: 'text'; text: string }[] | null
type ToolCall = { id?: string; type: 'function'; function: { name: string; arguments: string | object } }
type ChatMessage = {
  role: string
  content?: Content
  name?: string
  tool_calls?: ToolCall[]
  tool_call_id?: string
  reasoning_content?: string
}
export type ChatTool = {
  type: 'function'
  function: { name: string; description: string; parameters: Schema }
}
type Schema = {
  type: 'object'
  properties: Record<string, { description?: string; [keyword: string]: unknown }>
  [keyword: string]: unknown
}
export type Chat = { messages: ChatMessage[]; tools?: ChatTool[] }

export const tools: ChatTool[] = [
  {
    type: 'function',
    function: {
      name: 'read',
      description: 'Reads a file of the project.\nLines are numbered from 1; "offset" skips some.',
      parameters: {
        type: 'object',
        properties: {
          filePath: { type: 'string', description: 'Path, from the project’s root' },
          offset: { type: 'integer', minimum: 0 },
        },
        required: ['filePath'],
        additionalProperties: false,
      },
    },
  },
  {
    type: 'function',
    function: {
      name: 'bash',
      description: 'Runs a command: `ls -l | wc`, say. <b>Not</b> as root & never "sudo".',
      parameters: {
        type: 'object',
        properties: {
          command: { type: 'array', items: { type: 'string' } },
          background: { type: 'boolean', default: false },
        },
        required: ['command'],
      },
    },
  },
]

const parts = (...texts: string[]) => texts.map(text => ({ type: 'text' as const, text }))
const call = (name: string, args: string | object, id?: string): ToolCall => ({
  ...(id === undefined ? {} : { id }),
  type: 'function',
  function: { name, arguments: args },
})

const system = (content: Content): ChatMessage => ({ role: 'system', content })
const user = (content: Content): ChatMessage => ({ role: 'user', content })
const answer = (content: Content, ...calls: ToolCall[]): ChatMessage => ({
  role: 'assistant',
  content,
  ...(calls.length > 0 ? { tool_calls: calls } : {}),
})
const result = (id: string, content: Content): ChatMessage => ({ role: 'tool', tool_call_id: id, content })

const agent = system('You are a coding agent. The project is in /home/dev/shop.\n\nKeep to what was asked.')
const source = '1  def total(prices):\n2      return sum(prices)\n'

/** By name, which starts with a client's name if only that client sends this format. */
export const chats: Record<string, Chat> = {
  'a question': { messages: [user('Which sort is stable?')] },
  'a system message and a question': { messages: [system('Answer in one line.'), user('What is a mutex?')] },
  'several turns': {
    messages: [
      system('Answer in one line.'),
      user('What is a mutex?'),
      answer('A lock that one thread holds at a time.'),
      user('And a semaphore?'),
      answer('A counter of permits.'),
      user('Which of them would you take here?'),
    ],
  },
  'tools without a system message': { messages: [user('What is in shop.py?')], tools },

  'opencode: the title of a session': {
    messages: [
      system('You write titles. One line, no quotes.'),
      user('Generate a title for this conversation:\n'),
      user('The total of an empty basket is wrong. Can you look at shop.py?'),
    ],
  },
  'opencode: the first request': { messages: [agent, user('The total is wrong. Look at shop.py.')], tools },
  'opencode: a call with an empty text beside it': {
    messages: [
      agent,
      user('The total is wrong. Look at shop.py.'),
      answer('', call('read', '{"filePath":"shop.py"}', 'call_5fK2')),
      result('call_5fK2', source),
    ],
    tools,
  },
  'opencode: the next question after a call': {
    messages: [
      agent,
      user('The total is wrong. Look at shop.py.'),
      answer('I look at it.', call('read', '{"filePath":"shop.py"}', 'call_5fK2')),
      result('call_5fK2', source),
      answer('It adds the prices and forgets the shipping.'),
      user('Then add it.'),
    ],
    tools,
  },

  'qwen-code: content in arrays': {
    messages: [
      system(parts('You are an interactive agent.', '# Context\nThe folder is /home/dev/shop.')),
      user(parts('Today is a Wednesday.', '', 'Which files are there?')),
    ],
    tools,
  },
  'qwen-code: a call without content, its result in an array': {
    messages: [
      system(parts('You are an interactive agent.')),
      user(parts('Which files are there?')),
      answer(null, call('bash', '{"command":["ls","-1"]}', 'chatcmpl-tool-2f1c9a')),
      result('chatcmpl-tool-2f1c9a', parts('shop.py', 'test_shop.py')),
    ],
    tools,
  },

  'Cline: a task with its surroundings': {
    messages: [
      system('You are a skilled software engineer.'),
      user(
        parts(
          '<task>\nAdd a test.\n</task>',
          '<environment_details>\nOpen tabs: shop.py\n</environment_details>',
        ),
      ),
    ],
    tools,
  },
  'Cline: a call without content': {
    messages: [
      system('You are a skilled software engineer.'),
      user(parts('<task>\nAdd a test.\n</task>')),
      answer(null, call('read', '{"filePath":"test_shop.py","offset":0}', 'call_00_AbCdEfGh')),
      result('call_00_AbCdEfGh', 'Error: there is no such file.'),
    ],
    tools,
  },

  'Continue: a chat': {
    messages: [system('<important_rules>\nYou are in agent mode.\n</important_rules>'), user('Say hi.')],
    tools,
  },
  'Continue: a call with a blank beside it': {
    messages: [
      system('<important_rules>\nYou are in agent mode.\n</important_rules>'),
      user('What is in shop.py?'),
      answer(' ', call('read', '{"filePath": "shop.py"}', 'XPl3Yqhr8fw')),
      result('XPl3Yqhr8fw', source),
    ],
    tools,
  },

  'Codex: developers and two questions': {
    messages: [
      system('You are a coding agent in a terminal.'),
      { role: 'developer', content: parts('The sandbox is read-only.') },
      { role: 'developer', content: parts('Approval is never asked for.') },
      user(parts('# AGENTS.md\nTests first.')),
      user(parts('Say hi.')),
    ],
    tools,
  },
  'Codex: the call and its result': {
    messages: [
      system('You are a coding agent in a terminal.'),
      { role: 'developer', content: parts('The sandbox is read-only.') },
      user(parts('What is in shop.py?')),
      { role: 'assistant', tool_calls: [call('bash', '{"command":["cat","shop.py"]}', 'call_Zk9')] },
      result('call_Zk9', source),
    ],
    tools,
  },

  "Claude Code: a system message after the user's": {
    messages: [
      system('You are an agent for software.\nToday is a Wednesday.'),
      user(parts('<system-reminder>\nAs you like.\n</system-reminder>', 'Say hi.')),
      system('The tool results may be long.'),
    ],
    tools,
  },
  'Claude Code: that message once it is answered': {
    messages: [
      system('You are an agent for software.\nToday is a Wednesday.'),
      user(parts('<system-reminder>\nAs you like.\n</system-reminder>', 'Say hi.')),
      system('The tool results may be long.'),
      answer('Hi.'),
      user('What is in shop.py?'),
    ],
    tools,
  },
  // llama-server moves the text of an Anthropic message before the results in the same message.
  'Claude Code: a reminder between a call and its result': {
    messages: [
      system('You are an agent for software.'),
      user('What is in shop.py?'),
      answer('I read it.', call('read', '{"filePath":"shop.py"}', 'toolu_01A09q90qw90lq917835lq9')),
      user(parts('<system-reminder>\nThe file is new.\n</system-reminder>')),
      result('toolu_01A09q90qw90lq917835lq9', source),
    ],
    tools,
  },
  'a system message between a call and its result': {
    messages: [
      user('What is in shop.py?'),
      answer('', call('read', '{"filePath":"shop.py"}', 'r1')),
      system('The file is new.'),
      result('r1', source),
    ],
    tools,
  },
  'a system message after a result': {
    messages: [
      user('What is in shop.py?'),
      answer('', call('read', '{"filePath":"shop.py"}', 'r1')),
      result('r1', source),
      system('Answer in German.'),
    ],
    tools,
  },
  'a system message and a question after a result': {
    messages: [
      user('What is in shop.py?'),
      answer('', call('read', '{"filePath":"shop.py"}', 'r1')),
      result('r1', source),
      system('Answer in German.'),
      user('Be quick.'),
    ],
    tools,
  },
  'a question after a result, without an answer between': {
    messages: [
      user('What is in shop.py?'),
      answer('', call('read', '{"filePath":"shop.py"}', 'r1')),
      result('r1', source),
      user('Be quick.'),
    ],
    tools,
  },

  'system messages anywhere': {
    messages: [
      system('You are terse.'),
      system('The project is a shop.'),
      user('Hi.'),
      answer('Hi.'),
      system('From now on answer in German.'),
      user('What is in shop.py?'),
      system('And in rhymes.'),
      user('I mean the one in src.'),
    ],
    tools,
  },
  'nothing but a system message': { messages: [system('Introduce yourself.')], tools },
  'questions alone': {
    messages: [user('One.'), user('Two.'), user(parts('Three.', 'Four.')), user('Five.')],
  },
  'an answer first': {
    messages: [system('You are a shop assistant.'), answer('How may I help?'), user('Which sort is stable?')],
    tools,
  },

  'several calls at once': {
    messages: [
      agent,
      user('Compare shop.py with its test.'),
      answer(
        'Both, then.',
        call('read', '{"filePath":"shop.py"}', 'a'),
        call('read', '{"filePath":"test_shop.py"}', 'b'),
        call('bash', '{"command":["git","diff"],"background":false}', 'c'),
      ),
      result('a', source),
      result('b', 'import shop\n'),
      result('c', ''),
    ],
    tools,
  },
  'several calls, their results in another order': {
    messages: [
      agent,
      user('Compare shop.py with its test.'),
      answer(
        null,
        call('read', { filePath: 'shop.py' }, 'a'),
        call('read', { filePath: 'test_shop.py' }, 'b'),
      ),
      result('b', 'import shop\n'),
      result('a', source),
    ],
    tools,
  },
  'calls one after the other': {
    messages: [
      agent,
      user('Does the test pass?'),
      answer('', call('bash', '{"command":["pytest"]}', '1')),
      result('1', '1 failed'),
      answer('', call('read', '{"filePath":"test_shop.py"}', '2')),
      result('2', 'assert total([]) == 1\n'),
      answer('The test is wrong.'),
      user('Correct it.'),
    ],
    tools,
  },
  'two answers in a row': {
    messages: [
      agent,
      user('Does the test pass?'),
      answer('I run it.'),
      answer('', call('bash', '{"command":["pytest"]}', '1')),
      result('1', '1 passed'),
    ],
    tools,
  },
  'arguments as an object': {
    messages: [
      user('Run it.'),
      answer(
        null,
        call('bash', { command: ['sh', '-c', 'echo "ä" > \'x\'\n'], background: true }, 'x'.repeat(9)),
      ),
      result('x'.repeat(9), null),
    ],
    tools,
  },
  'arguments of every kind': {
    messages: [
      user('Run it.'),
      answer(
        null,
        call(
          'bash',
          '{"command":["a"],"n":1.5,"big":12345678901,"none":null,"deep":{"x":[{}],"y":[]},"😀":"\\u00e9"}',
          'k',
        ),
      ),
      result('k', '{"ok": true}'),
    ],
    tools,
  },
  'calls without arguments': {
    messages: [
      user('Go.'),
      answer(null, call('bash', '{}', 'e1'), call('bash', {}, 'e2')),
      result('e1', 'a'),
      result('e2', 'b'),
    ],
    tools,
  },
  'ids of any form': {
    messages: [
      user('Go.'),
      answer(
        null,
        call('read', '{"filePath":"a"}', 'toolu_01A09q90qw90lq917835lq9'),
        call('read', '{"filePath":"b"}', '550e8400-e29b-41d4-a716-446655440000'),
        call('read', '{"filePath":"c"}', 'functions.read:0'),
        call('read', '{"filePath":"d"}', '0'),
      ),
      result('toolu_01A09q90qw90lq917835lq9', 'A'),
      result('550e8400-e29b-41d4-a716-446655440000', 'B'),
      result('functions.read:0', 'C'),
      result('0', 'D'),
    ],
    tools,
  },
  'no ids at all': {
    messages: [
      user('Go.'),
      answer(null, call('read', '{"filePath":"a"}'), call('read', '{"filePath":"b"}')),
      { role: 'tool', content: 'A', name: 'read' },
      { role: 'tool', content: 'B', name: 'read' },
    ],
    tools,
  },
  'one id twice': {
    messages: [
      user('Go.'),
      answer(null, call('read', '{"filePath":"a"}', 'same'), call('read', '{"filePath":"b"}', 'same')),
      result('same', 'A'),
      result('same', 'B'),
    ],
    tools,
  },
  'a result whose call was cut off': {
    messages: [agent, result('gone', source), answer('It adds prices.'), user('And then?')],
    tools,
  },
  'a question after a result whose call was cut off': {
    messages: [agent, result('gone', source), user('What does it do?')],
    tools,
  },
  'a call that was never answered': {
    messages: [
      agent,
      user('Go.'),
      answer('', call('bash', '{"command":["sleep","9"]}', 's')),
      user('Stop. Why that?'),
    ],
    tools,
  },
  'a history of calls, the tools no longer given': {
    messages: [
      user('What is in shop.py?'),
      answer(null, call('read', '{"filePath":"shop.py"}', 'r')),
      result('r', source),
      answer('A sum.'),
      user('Sum it up.'),
    ],
  },

  'thoughts before an answer': {
    messages: [
      system('Think first.'),
      user('2 + 2?'),
      { role: 'assistant', content: '4', reasoning_content: 'Two and two make four.' },
      user('And 3 + 3?'),
    ],
  },
  'thoughts before a call': {
    messages: [
      agent,
      user('What is in shop.py?'),
      {
        ...answer(null, call('read', '{"filePath":"shop.py"}', 'r')),
        reasoning_content: 'I should read it.\nThen tell.',
      },
      result('r', source),
    ],
    tools,
  },
  'an answer that has begun': { messages: [agent, user('Write it as JSON.'), answer('```json\n{')], tools },
  'an answer that has begun, in an array, after thoughts': {
    messages: [
      user('Write it as JSON.'),
      { role: 'assistant', content: parts('Here', 'it is: '), reasoning_content: 'JSON, then.' },
    ],
  },

  'two answers at the end, the last begun': {
    messages: [agent, user('Does the test pass?'), answer('I look.'), answer('It')],
    tools,
  },
  'a call at the end': {
    messages: [agent, user('Does the test pass?'), answer('', call('bash', '{"command":["pytest"]}', '1'))],
    tools,
  },

  'nothing said': { messages: [system(''), user(''), answer(''), user(null), answer(null), user([])], tools },
  'names of those who speak': {
    messages: [
      { role: 'user', name: 'alice', content: 'Hi.' },
      answer('Hi.'),
      { role: 'user', name: 'bob', content: 'Hi!' },
    ],
  },
  'text that looks like a template': {
    messages: [
      system('Use {{ name }} and {% if x %}…{% endif %}; {# not a comment #}.'),
      user('  Leading blanks, a tab\t, CR\r\nLF, "quotes", \\backslashes\\, <tags> & 日本語 🦀 \u200b\n\n'),
      answer('`{{ messages }}`'),
      user("It's 100 % {{ bos_token }}"),
    ],
  },
}
