/**
 * Bytes of the buffer for a body that a program reads whole, by the largest one that is accepted: a quarter more, since in
 * a chunked body the chunks' headers take space too.
 */
export const bodyBufferSize = (largest: number): number => largest * 1.25
