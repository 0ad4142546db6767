/** lib/edge bundled into one script for nginx; packer/build/executable.ts puts the text in this module's place. */
import { buildSync } from 'esbuild'

const entry = `${import.meta.dirname}/../../../edge/main.ts`

function bundle(): string {
  const { outputFiles } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    external: ['fs'],
    target: 'es2016',
    // What nginx 1.22's JavaScript (njs 0.7.9) does not read, and esbuild need not leave in or refuses to.
    supported: {
      'object-extensions': false,
      'default-argument': false,
      'for-of': false,
      destructuring: false,
      class: false,
    },
    legalComments: 'none',
    logLevel: 'warning',
  })
  // A list of exports, as esbuild writes it, is unknown to it too.
  return outputFiles[0]?.text.replace(/export \{\s*(\w+) as default\s*\};/, 'export default $1;') ?? ''
}

export const program = bundle()
