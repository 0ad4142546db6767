/** The same conversations in the format of `/v1/messages`, under the names of their counterparts in chat.ts. */
import { tools as chatTools } from './chat.ts'

const cache_control = { type: 'ephemeral' }
const text = (said: string) => ({ type: 'text', text: said })
const user = (...content: object[]) => ({ role: 'user', content })
const answer = (...content: object[]) => ({ role: 'assistant', content })
const use = (id: string, name: string, input: object) => ({ type: 'tool_use', id, name, input })
const result = (id: string, content?: unknown) => ({ type: 'tool_result', tool_use_id: id, content })

const tools = chatTools.map(({ function: { name, description, parameters } }) => ({
  name,
  description,
  input_schema: parameters,
}))
const source = '1  def total(prices):\n2      return sum(prices)\n'
const asClaudeCode = {
  metadata: { user_id: 'user_1_session_2' },
  thinking: { type: 'adaptive' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  output_config: { effort: 'high' },
}
const agent = 'You are a coding agent. The project is in /home/dev/shop.\n\nKeep to what was asked.'

export const messages: Record<string, object> = {
  'a system message and a question': {
    system: 'Answer in one line.',
    messages: [{ role: 'user', content: 'What is a mutex?' }],
  },
  'tools without a system message': { messages: [user(text('What is in shop.py?'))], tools },
  "Claude Code: a system message after the user's": {
    ...asClaudeCode,
    system: [
      { ...text('You are an agent for software.\n'), cache_control },
      { ...text('Today is a Wednesday.'), cache_control },
    ],
    messages: [
      user(text('<system-reminder>\nAs you like.\n</system-reminder>'), {
        ...text('Say hi.'),
        cache_control,
      }),
      { role: 'system', content: 'The tool results may be long.' },
    ],
    tools: tools.map((tool, index) => (index === 0 ? tool : { ...tool, cache_control })),
  },
  'Claude Code: that message once it is answered': {
    ...asClaudeCode,
    system: [text('You are an agent for software.\nToday is a Wednesday.')],
    messages: [
      user(text('<system-reminder>\nAs you like.\n</system-reminder>'), text('Say hi.')),
      { role: 'system', content: [text('The tool results may be long.')] },
      answer(text('Hi.')),
      { role: 'user', content: 'What is in shop.py?' },
    ],
    tools,
  },
  'Claude Code: a reminder between a call and its result': {
    ...asClaudeCode,
    system: [text('You are an agent for software.')],
    messages: [
      { role: 'user', content: 'What is in shop.py?' },
      answer(text('I read it.'), use('toolu_01A09q90qw90lq917835lq9', 'read', { filePath: 'shop.py' })),
      user(
        result('toolu_01A09q90qw90lq917835lq9', source),
        text('<system-reminder>\nThe file is new.\n</system-reminder>'),
      ),
    ],
    tools,
  },
  'several calls at once': {
    system: agent,
    messages: [
      { role: 'user', content: 'Compare shop.py with its test.' },
      answer(
        text('Both, then.'),
        use('a', 'read', { filePath: 'shop.py' }),
        use('b', 'read', { filePath: 'test_shop.py' }),
        use('c', 'bash', { command: ['git', 'diff'], background: false }),
      ),
      user(result('a', [text(source)]), { ...result('b', 'import shop\n'), is_error: true }, result('c')),
    ],
    tools,
  },
  'thoughts before a call': {
    system: agent,
    messages: [
      { role: 'user', content: 'What is in shop.py?' },
      answer(
        { type: 'thinking', thinking: 'I should read it.\nThen tell.', signature: '' },
        use('r', 'read', { filePath: 'shop.py' }),
      ),
      user(result('r', source)),
    ],
    tools,
  },
  'an answer that has begun': {
    system: agent,
    messages: [
      { role: 'user', content: 'Write it as JSON.' },
      { role: 'assistant', content: '```json\n{' },
    ],
    tools,
  },
}
