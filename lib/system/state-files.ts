/** Reads and writes state files: JSON that one run leaves for a later one. */
import type { Host } from './host.ts'

type Issue = { path: readonly PropertyKey[]; message: string }
type ParsedState<T> = { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } }

export type StateFile<T> = {
  path: string
  mode: number
  schema: { safeParse(value: unknown): ParsedState<T> }
  /** A damaged file is either an error with a `fix`, or ignored with a warning that states the `consequence`. */
  whenDamaged: { fix: string } | { consequence: string }
}

type StateFileHost = Pick<Host, 'files' | 'log'>

/** The state; undefined if the file is missing or damaged. A damaged file throws if `whenDamaged` has a fix. */
export function readState<T>({ files, log }: StateFileHost, file: StateFile<T>): T | undefined {
  const { path, whenDamaged } = file
  const text = readText(files, path)
  if (text === undefined) return undefined
  const result = parse(text, file.schema)
  if ('data' in result) return result.data
  if ('fix' in whenDamaged) throw new Error(`${path} ${result.damage}. Fix: ${whenDamaged.fix}.`)
  log.warn(`${path} ${result.damage}. It is ignored: ${whenDamaged.consequence}.`)
  return undefined
}

/** Like `readState`, but throws if the file is missing. */
export function requireState<T>(seam: StateFileHost, file: StateFile<T>): T {
  const found = readState(seam, file)
  if (found !== undefined) return found
  const fix = 'fix' in file.whenDamaged ? ` Fix: ${file.whenDamaged.fix}.` : ''
  throw new Error(`${file.path} is missing.${fix}`)
}

/** The state in a file that an administrator supplied. Throws if it does not match the schema. */
export function stateFrom<T>(
  text: string,
  { path, schema, fix }: Pick<StateFile<T>, 'path' | 'schema'> & { fix: string },
): T {
  const result = parse(text, schema)
  if ('data' in result) return result.data
  throw new Error(`${path} ${result.damage}. Fix: ${fix}.`)
}

/** The state as a managed file. */
export const stateFile = <T>({ path, mode }: StateFile<T>, value: T) => ({
  path,
  mode,
  text: `${JSON.stringify(value, null, 2)}\n`,
})

/** Replaces the file atomically. */
export function writeState<T>({ files }: Pick<Host, 'files'>, file: StateFile<T>, value: T): void {
  const { path, mode, text } = stateFile(file, value)
  files.replace(path, text, mode)
}

/** Adds the path to the error: Node's own message lacks it if the path is a folder. */
function readText(files: Host['files'], path: string): string | undefined {
  try {
    return files.read(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const fix = code === 'EACCES' ? 'run this as root' : 'make it a readable file, or remove it'
    throw new Error(`${path} could not be read: ${message}. Fix: ${fix}.`, { cause: error })
  }
}

function parse<T>(text: string, schema: StateFile<T>['schema']): { data: T } | { damage: string } {
  if (text.trim() === '') return { damage: 'is empty' }
  const value = parseJson(text)
  if ('damage' in value) return value
  const result = schema.safeParse(value.json)
  if (result.success) return { data: result.data }
  const [first] = result.error.issues
  const where = first?.path.length ? `${first.path.join('.')}: ` : ''
  return { damage: `was written by another version, or changed (${where}${first?.message})` }
}

function parseJson(text: string): { json: unknown } | { damage: string } {
  try {
    return { json: JSON.parse(text) }
  } catch (error) {
    return { damage: `is damaged (${(error as Error).message})` }
  }
}
