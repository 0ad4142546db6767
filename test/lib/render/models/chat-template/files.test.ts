import { expect, it } from 'vitest'
import { catalogue, templateNames } from '../../../../../lib/appliance/models/catalogue.ts'
import { services } from '../../../../../lib/appliance/services/services.ts'
import { chatTemplateFile, chatTemplateFiles } from '../../../../../lib/render/models/chat-template/files.ts'
import { llamaSettings } from '../../../../../lib/render/units/llama.ts'
import { capacityFor } from '../../../../support/capacity.ts'

it.each([
  ['devstral', ['[SYSTEM_PROMPT]', '[TOOL_CALLS]', '[ARGS]'], ['[CALL_ID]']],
  ['qwen3.5', ['<tool_call>', '<function=', '<parameter=', '<think>'], ['[ARGS]']],
] as const)('%s contains the markers by which llama-server chooses its parser', (name, marks, others) => {
  const { text } = chatTemplateFile(name)
  for (const mark of marks) expect(text).toContain(mark)
  for (const other of others) expect(text).not.toContain(other)
})

it.each([
  ['devstral-small-2', '/opt/slm-copilot/templates/devstral.jinja'],
  ['qwen3-coder-30b-a3b', undefined],
  ['qwen3.6-35b-a3b', '/opt/slm-copilot/templates/qwen3.5.jinja'],
  ['gpt-oss-20b', undefined],
  ['qwen2.5-coder-3b', undefined],
] as const)('serves %s with the template that it requires', (name, file) => {
  const settings = llamaSettings(capacityFor(catalogue[name]))
  expect(settings.LLAMA_ARG_CHAT_TEMPLATE_FILE).toBe(file)
  expect(settings.LLAMA_ARG_PREFILL_ASSISTANT).toBe(name === 'devstral-small-2' ? '0' : undefined)
})

it('are inputs of llama-server: a change restarts it', () => {
  expect(chatTemplateFiles()).toHaveLength(templateNames.length)
  for (const { path } of chatTemplateFiles()) expect(services.llama.restartInputs).toContain(path)
})
