/** A reporter that closes a run with the line `N passed, N failed`. */
import type { Reporter, TestModule } from 'vitest/node'

export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const states = modules.flatMap(module => [...module.children.allTests()].map(test => test.result().state))
    // A file that fails before its first test is a failure too.
    const broken = modules.filter(module => module.state() === 'failed' && module.errors().length > 0).length
    const count = (state: string) => states.filter(one => one === state).length
    const skipped = count('skipped') + count('pending')
    const tail = skipped > 0 ? `, ${skipped} skipped` : ''
    console.log(`${count('passed')} passed, ${count('failed') + broken} failed${tail}`)
  }
}
