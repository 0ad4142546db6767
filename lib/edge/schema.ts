/** JSON Schemas of tools and answers, of which llama-server makes grammars. */
import type { Json } from './json.ts'

/** For now as it came. */
export const checkSchema = (value: Json, _path: string): { value: Json | undefined } => ({ value: value })
