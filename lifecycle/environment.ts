/** The context's variables where they stand in a file, as lines `NAME=value` or `export NAME="value"`. */
import { parse } from 'dotenv'

export const parseEnvironment = (text: string): Record<string, string> => parse(text)
