/** State files: JSON that one run leaves for a later one; they are read and written only here. */
import type { Host } from './host.ts'

type Issue = { path: readonly PropertyKey[]; message: string }
type Parsed<T> = { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } }

export type StateFile<T> = {
  path: string
  mode: number
  schema: { safeParse(value: unknown): Parsed<T> }
  /** A damaged file is an error that names the `fix`, or is ignored with a warning that names the `consequence`. */
  whenDamaged: { fix: string } | { consequence: string }
}

type Seam = Pick<Host, 'files' | 'log'>

/** What the file holds; undefined where there is none, or none that can be used. Throws where its policy says so. */
export function readState<T>({ files, log }: Seam, file: StateFile<T>): T | undefined {
  const { path, whenDamaged } = file
  const text = readText(files, path)
  if (text === undefined) return undefined
  const result = parse(text, file.schema)
  if ('data' in result) return result.data
  if ('fix' in whenDamaged) throw new Error(`${path} ${result.damage}. Fix: ${whenDamaged.fix}.`)
  log.warn(`${path} ${result.damage}. It is ignored: ${whenDamaged.consequence}.`)
  return undefined
}

/** As `readState`, of a file that must be there. Throws where it is not. */
export function requireState<T>(seam: Seam, file: StateFile<T>): T {
  const found = readState(seam, file)
  if (found !== undefined) return found
  const fix = 'fix' in file.whenDamaged ? ` Fix: ${file.whenDamaged.fix}.` : ''
  throw new Error(`${file.path} is missing.${fix}`)
}

/** What a file that an operator names holds. Throws where that is no such state. */
export function stateFrom<T>(
  text: string,
  { path, schema, fix }: Pick<StateFile<T>, 'path' | 'schema'> & { fix: string },
): T {
  const result = parse(text, schema)
  if ('data' in result) return result.data
  throw new Error(`${path} ${result.damage}. Fix: ${fix}.`)
}

/** The state as a file to apply among others. */
export const stateFile = <T>({ path, mode }: StateFile<T>, value: T) => ({
  path,
  mode,
  text: `${JSON.stringify(value, null, 2)}\n`,
})

/** Replaces the file in one step. */
export function writeState<T>({ files }: Pick<Host, 'files'>, file: StateFile<T>, value: T): void {
  const { path, mode, text } = stateFile(file, value)
  files.replace(path, text, mode)
}

/** Node's own message names no file where that is a folder. */
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
