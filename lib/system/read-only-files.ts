/** Files that can be read but not changed, for dry runs: no step can forget that it is in one. */
import type { Files } from './files.ts'

/** Reads as these files do; every change is left out, and so is whatever would have followed from it. */
export const readOnlyFiles = (files: Files): Files => ({
  ...files,
  isReadOnly: true,
  makeFolder: () => {},
  replace: () => {},
  replaceLink: () => {},
  setMode: () => {},
  rename: () => {},
  remove: () => {},
})
