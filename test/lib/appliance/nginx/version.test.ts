import { expect, it } from 'vitest'
import { hasHttp2Directive } from '../../../../lib/appliance/nginx/version.ts'

it.each([
  ['nginx version: nginx/1.18.0 (Ubuntu)', false],
  ['nginx version: nginx/1.22.1', false],
  ['nginx version: nginx/1.24.0 (Ubuntu)', false],
  ['nginx version: nginx/1.25.0', false],
  ['nginx version: nginx/1.25.1', true],
  ['nginx version: nginx/1.26.3', true],
  ['nginx version: nginx/1.30.0', true],
  ['nginx version: nginx/1.25.10', true],
  ['nginx version: nginx/2.0.0', true],
  ['nginx version: nginx/10.1.2', true],
  ['nginx version: nginx/0.100.200', false],
  ['nginx version: nginx/1.9.15', false],
  ['nginx version: openresty/1.27.1', false],
  ['', false],
])('knows from "%s" whether nginx has the http2 directive: %s', (printed, expected) => {
  expect(hasHttp2Directive(printed)).toBe(expected)
})
