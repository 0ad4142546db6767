import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { http } from '../../../lib/system/http.ts'

it('closes the connection of an endless answer once it has received enough', async () => {
  const server = createServer((_, response) => {
    const writing = setInterval(() => response.write('x'), 5)
    response.on('close', () => {
      clearInterval(writing)
      server.close()
    })
  })
  const isClosed = new Promise(resolve => server.on('close', resolve))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const isEnough = (arrivals: string[]) => arrivals.join('').length >= 3
  const answer = await http({ url: `http://127.0.0.1:${port}/`, timeout: 20, isEnough })
  expect(answer.status).toBe(200)
  expect(answer.body.length).toBeGreaterThanOrEqual(3)
  await isClosed
})
