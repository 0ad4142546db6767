/** All files of llama-server. */
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { chatTemplateFiles } from '../models/chat-template/files.ts'
import { llamaEnvironment, llamaUnit, memoryDropIn } from './llama.ts'
import { promptCacheUnit } from './prompt-cache.ts'

export const llamaFiles = (capacity: Capacity, persistsPromptCache: boolean) => [
  ...chatTemplateFiles(),
  llamaEnvironment(capacity),
  llamaUnit({ persistsPromptCache }),
  ...promptCacheUnit(persistsPromptCache),
  memoryDropIn(capacity),
]
