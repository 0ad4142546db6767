/**
 * For unit tests: what the code under test prints goes through the console, so that Vitest shows it with the test that
 * printed it, and `--silent=passed-only` only where that fails.
 */
const through =
  (print: (text: string) => void): typeof process.stdout.write =>
  text => {
    print(text.toString().trimEnd())
    return true
  }

process.stdout.write = through(text => console.log(text))
process.stderr.write = through(text => console.error(text))
