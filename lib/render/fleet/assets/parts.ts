/** The program that HAProxy runs, read from its file; packer/build/executable.ts embeds its text here. */
import { readFileSync } from 'node:fs'

const read = (file: string) => readFileSync(`${import.meta.dirname}/${file}`, 'utf8')

export const servers = read('servers.lua')
export const slots = read('slots.lua')
export const choose = read('choose.lua')
export const vanished = read('vanished.lua')
