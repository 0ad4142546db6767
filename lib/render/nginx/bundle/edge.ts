/** Bundles lib/edge into one script for nginx; packer/build/executable.ts replaces this module with the result. */
import { buildSync } from 'esbuild'

const checkout = `${import.meta.dirname}/../../../..`

function bundle(): string {
  const { outputFiles } = buildSync({
    // The bundle names its sources: by paths that do not depend on where the build was started.
    absWorkingDir: checkout,
    entryPoints: ['lib/edge/main.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    external: ['fs'],
    target: 'es2016',
    // Syntax that nginx 1.22's JavaScript (njs 0.7.9) does not support: esbuild rewrites or rejects it.
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
  // njs does not support esbuild's list of exports either.
  return outputFiles[0]?.text.replace(/export \{\s*(\w+) as default\s*\};/, 'export default $1;') ?? ''
}

export const program = bundle()
