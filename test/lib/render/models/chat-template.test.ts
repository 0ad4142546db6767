import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { paths } from '../../../../lib/appliance/paths.ts'
import { services } from '../../../../lib/appliance/services/services.ts'
import { chatTemplateFile } from '../../../../lib/render/models/chat-template.ts'
import { llamaSettings } from '../../../../lib/render/units/llama.ts'
import { capacityFor } from '../../../support/capacity.ts'

it('contains the markers by which llama-server recognises Devstral', () => {
  const { text } = chatTemplateFile()
  for (const mark of ['[SYSTEM_PROMPT]', '[TOOL_CALLS]', '[ARGS]']) expect(text).toContain(mark)
  expect(text).not.toContain('[CALL_ID]')
})

it.each([
  ['devstral-small-2', { file: paths.chatTemplate, prefill: '0' }],
  ['qwen3-coder-30b-a3b', { file: undefined, prefill: undefined }],
  ['gpt-oss-20b', { file: undefined, prefill: undefined }],
  ['qwen2.5-coder-3b', { file: undefined, prefill: undefined }],
] as const)('serves %s with the template that it requires', (name, { file, prefill }) => {
  const settings = llamaSettings(capacityFor(catalogue[name]))
  expect(settings.LLAMA_ARG_CHAT_TEMPLATE_FILE).toBe(file)
  expect(settings.LLAMA_ARG_PREFILL_ASSISTANT).toBe(prefill)
})

it('is an input of llama-server: a change restarts it', () => {
  expect(services.llama.restartInputs).toContain(chatTemplateFile().path)
})
