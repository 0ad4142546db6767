import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { variables } from '../../../lib/appliance/context/variables.ts'
import { generatePassword } from '../../../lib/steps/password.ts'

it('generates a different password of 20 characters each time, valid for its variable', () => {
  const passwords = Array.from({ length: 100 }, () => generatePassword(randomBytes))
  expect(new Set(passwords).size).toBe(100)
  for (const password of passwords) {
    expect(password).toMatch(/^[a-km-np-z2-9]{20}$/)
    expect(variables.password.value.safeParse(password).success).toBe(true)
  }
})
