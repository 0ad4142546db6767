/** The executable's first lines: a clean process, then main. */
import { isSea } from 'node:sea'
import { stopCoverage } from 'node:v8'
import { main } from './main.ts'
import { withoutNodeVariables } from './node-variables.ts'

const env = withoutNodeVariables(process.env)
if (env !== undefined && isSea()) {
  // Else NODE_V8_COVERAGE has its files written as this process ends.
  stopCoverage()
  process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], env)
}

// The framework's is 0077: folders on the way to what others read, and packages installed, would be root's alone.
process.umask(0o022)
void main(process.argv0, process.argv.slice(2)).then(code => {
  process.exitCode = code
})
