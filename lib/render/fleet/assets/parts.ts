/** The program that HAProxy runs, read from its file; packer/build/executable.ts embeds its text here. */
import { readFileSync } from 'node:fs'

export const choose = readFileSync(`${import.meta.dirname}/choose.lua`, 'utf8')
