/** Parses a file with context variables, as lines `NAME=value` or `export NAME="value"`. */
import { parse } from 'dotenv'

export const parseEnvironment = (text: string): Record<string, string> => parse(text)
