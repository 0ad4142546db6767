/** All files of llama-server. */
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { chatTemplateFiles } from '../models/chat-template/files.ts'
import { llamaEnvironment, llamaUnit, memoryDropIn, type PromptReuse } from './llama.ts'
import { promptCacheUnit } from './prompt-cache.ts'

export const llamaFiles = (
  capacity: Capacity,
  { persistsPromptCache, reusesPrompts }: { persistsPromptCache: boolean } & PromptReuse,
) => [
  ...chatTemplateFiles(),
  llamaEnvironment(capacity, { reusesPrompts }),
  llamaUnit({ persistsPromptCache }),
  ...promptCacheUnit(persistsPromptCache),
  memoryDropIn(capacity),
]
