/** QEMU's control socket (QMP): one command, one response. */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

type QmpMessage = { return?: unknown; error?: { desc: string }; event?: string; QMP?: unknown }

/** Runs one command. Rejects with QEMU's message if it fails, or if nothing answers at the socket. */
export async function qmp(
  path: string,
  execute: string,
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const socket = connect(path)
  // When QEMU quits, it closes the socket instead of responding.
  const failure = new Promise<never>((_, reject) => socket.once('error', reject))
  const conversation = async () => {
    const send = (command: object) => socket.write(`${JSON.stringify(command)}\n`)
    let answers = 0
    for await (const line of createInterface({ input: socket })) {
      const message = JSON.parse(line) as QmpMessage
      if (message.error) throw new Error(`QEMU: ${execute}: ${message.error.desc}`)
      if (message.QMP) send({ execute: 'qmp_capabilities' })
      if (!('return' in message)) continue
      answers += 1
      if (answers === 2) return message.return
      send({ execute, arguments: args })
    }
  }
  try {
    return await Promise.race([conversation(), failure])
  } finally {
    socket.destroy()
  }
}
