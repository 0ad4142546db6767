/** Files inside the executable. */
import { getAsset, isSea } from 'node:sea'

/** The text of an asset; undefined if the program was started from its sources, which have none. */
export const readAsset = (name: string): string | undefined => (isSea() ? getAsset(name, 'utf8') : undefined)
