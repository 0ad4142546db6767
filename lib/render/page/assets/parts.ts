/** The page's script and style: files of their own, read as they are. packer/build/executable.ts puts their texts here. */
import { readFileSync } from 'node:fs'

const textOf = (name: string) => readFileSync(`${import.meta.dirname}/${name}`, 'utf8')

export const script = textOf('page.js')
export const style = textOf('page.css')
