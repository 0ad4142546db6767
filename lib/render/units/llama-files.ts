/** All files of llama-server. */
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { chatTemplateFile } from '../models/chat-template.ts'
import { llamaEnvironment, llamaUnit, memoryDropIn } from './llama.ts'
import { promptCacheUnit } from './prompt-cache.ts'

export const llamaFiles = (capacity: Capacity, persistsPromptCache: boolean) => [
  chatTemplateFile(),
  llamaEnvironment(capacity),
  llamaUnit({ persistsPromptCache }),
  ...promptCacheUnit(persistsPromptCache),
  memoryDropIn(capacity),
]
