import { StringDecoder } from 'node:string_decoder';

const HEADER_BYTES = 8;

/** Takes bytes in any pieces and gives the text that they complete. */
export type OutputReader = (piece: Buffer) => string;

/**
 * What a container writes. Without a terminal, standard output and error come in frames: a byte that tells the stream,
 * three zeros, the length in four bytes, the payload (Docker Engine API, "Stream format" of attach).
 */
export function createOutputReader(tty: boolean): OutputReader {
  if (tty) {
    const decoder = new StringDecoder('utf8');
    return (piece) => decoder.write(piece);
  }
  const decoders = new Map<number, StringDecoder>();
  let rest = Buffer.alloc(0);
  let stream = 0;
  let left = 0;
  return (piece) => {
    rest = Buffer.concat([rest, piece]);
    let text = '';
    for (;;) {
      if (left === 0) {
        if (rest.length < HEADER_BYTES) return text;
        stream = rest.readUInt8(0);
        left = rest.readUInt32BE(4);
        rest = rest.subarray(HEADER_BYTES);
      }
      const payload = rest.subarray(0, left);
      const decoder = decoders.get(stream) ?? new StringDecoder('utf8');
      decoders.set(stream, decoder);
      text += decoder.write(payload);
      left -= payload.length;
      rest = rest.subarray(payload.length);
      if (rest.length === 0) return text;
    }
  };
}
