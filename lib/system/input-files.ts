/** Files named by command-line options. */
import { readFileSync } from 'node:fs'
import { reasonOf } from './failures.ts'

export type InputFile = { path: string; text: string }

/** Reads the file at an absolute path. Errors name the option and the reason. */
export function inputFile(option: string, path: string): InputFile {
  try {
    return { path, text: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Error(`--${option} ${path} cannot be read: ${reasonOf(error)}.`, { cause: error })
  }
}
