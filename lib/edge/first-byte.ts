/** When an answer begins: the time to the first byte that the request log and the metrics have. Runs inside nginx. */

/** Begins a comment in a stream of events. */
const colon = 58

/** Whether a piece of a stream has more than comments, which llama-server sends while it processes a prompt. */
export const hasContent = (piece: Buffer): boolean =>
  piece.length > 0 && (piece[0] !== colon || piece.indexOf('\n\n') + 2 < piece.length)
