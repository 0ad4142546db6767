/** One request to a server on a unix socket that answers and closes the connection. */
import { connect } from 'node:net'

/** `timeout`: seconds. Rejects if there is no complete answer in time. */
export function ask(socket: string, question: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: string[] = []
    const connection = connect(socket, () => connection.write(question))
    connection.setEncoding('utf8').setTimeout(timeout * 1000, () => {
      connection.destroy(new Error(`no answer within ${timeout} s`))
    })
    connection.on('data', (piece: string) => pieces.push(piece))
    connection.on('error', reject)
    connection.on('end', () => resolve(pieces.join('')))
  })
}
