import { expect, it } from 'vitest'
import { logLines } from '../../../lib/system/log.ts'

it('stamps every line', () => {
  expect(logLines(new Date('2026-02-14T10:00:00.123Z'), 'INFO', 'one\ntwo\n')).toBe(
    '2026-02-14T10:00:00Z [INFO] one\n2026-02-14T10:00:00Z [INFO] two\n',
  )
})
