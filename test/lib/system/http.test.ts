import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { expect, it } from 'vitest'
import { http } from '../../../lib/system/http.ts'
import { issued } from '../../support/certificates.ts'
import { rightClock } from '../../support/clock.ts'

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

/** Unit tests have short keys. */
const weak = { ciphers: 'DEFAULT@SECLEVEL=0' }

it.each(['1990-01-01', '2090-01-01'])(
  'with a pinned certificate, sends requests to its holder only, whatever its dates: from %s',
  async time => {
    const names = { dns: [], ip: ['127.0.0.1'] }
    const { ca, leaf } = issued(names, rightClock(new Date(time)))
    const another = issued(names, rightClock(new Date())).leaf
    const asked: string[] = []
    const server = createTlsServer(
      { ...weak, cert: leaf.certificate, key: leaf.key },
      (request, response) => {
        request.on('data', (body: Buffer) => asked.push(`${request.headers.authorization} ${body}`))
        request.on('end', () => response.end('served'))
      },
    )
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const question = { url, headers: { authorization: 'Bearer key' }, json: 1, timeout: 20 }
    try {
      await expect(http({ ...question, ca: ca.certificate })).rejects.toThrow()
      await expect(http({ ...question, pinned: another.certificate })).rejects.toThrow(
        'the server has another certificate than the one in use',
      )
      expect(asked).toEqual([])
      expect(await http({ ...question, pinned: leaf.certificate })).toMatchObject({
        status: 200,
        body: 'served',
      })
      expect(asked).toEqual(['Bearer key 1'])
    } finally {
      server.close()
    }
    const refused = http({ ...question, pinned: leaf.certificate })
    await expect(refused).rejects.toThrow('ECONNREFUSED')
  },
)

it('a pinned connection is to port 443 if its URL names none', async () => {
  const { leaf } = issued({ dns: [], ip: ['127.0.0.1'] }, rightClock(new Date()))
  // Nobody listens at this address.
  const answer = http({ url: 'https://127.83.83.83/', pinned: leaf.certificate, timeout: 20 })
  await expect(answer).rejects.toThrow('connect ECONNREFUSED 127.83.83.83:443')
})

it('gives up a pinned connection after its time', async () => {
  const silent = createNetServer(socket => socket.resume())
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`
  const { leaf } = issued({ dns: [], ip: ['127.0.0.1'] }, rightClock(new Date()))
  const answer = http({ url, pinned: leaf.certificate, timeout: 0.2 })
  await expect(answer).rejects.toThrow('no complete answer from / within 0.2 s')
  // Its end of the connection is closed: otherwise this would wait for it.
  await new Promise(resolve => silent.close(resolve))
})
