/** Files that can be read but not changed, so that no step of a dry run can change one by mistake. */
import type { Files } from './files.ts'

/** Reads like `files`; every change is skipped silently. */
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
