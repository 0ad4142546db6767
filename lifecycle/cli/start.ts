/** The executable's entry point: cleans the environment, then runs main. */
import { isSea } from 'node:sea'
import { stopCoverage } from 'node:v8'
import { main } from './main.ts'
import { withoutNodeVariables } from './node-variables.ts'

const env = withoutNodeVariables(process.env)
if (env !== undefined && isSea()) {
  // Otherwise NODE_V8_COVERAGE would make this process write coverage files.
  stopCoverage()
  process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], env)
}

// The framework sets 0077, with which folders and installed packages that others need would be closed to
// them.
process.umask(0o022)
void main(process.argv0, process.argv.slice(2)).then(code => {
  process.exitCode = code
})
