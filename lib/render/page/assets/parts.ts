/** The page's script and style, read from files; packer/build/executable.ts embeds their texts here. */
import { readFileSync } from 'node:fs'

const textOf = (name: string) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8')

export const script = textOf('page.js')
export const style = textOf('page.css')
