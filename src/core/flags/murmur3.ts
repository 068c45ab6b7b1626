const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const encoder = new TextEncoder();

/**
 * MurmurHash3 in its 32-bit variant for x86 (Austin Appleby, public domain) with seed 0, over the UTF-8 form of the text:
 * 0 to 2^32 - 1. All evaluators of flagd's format hash so, which is why a user is in the same bucket everywhere.
 */
export function murmur3(text: string): number {
  const { length } = text;
  const whole = length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) {
    const [one, two] = [text.charCodeAt(at), text.charCodeAt(at + 1)];
    const [three, four] = [text.charCodeAt(at + 2), text.charCodeAt(at + 3)];
    if ((one | two | three | four) > 0x7f) return hashBytes(encoder.encode(text));
    hash = mixed(hash, one | (two << 8) | (three << 16) | (four << 24));
  }
  let rest = 0;
  for (let at = length - 1; at >= whole; at -= 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return hashBytes(encoder.encode(text));
    rest = (rest << 8) | unit;
  }
  return finished(hash ^ scrambled(rest), length);
}

function hashBytes(bytes: Uint8Array): number {
  const byte = (at: number): number => bytes[at] ?? 0;
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let at = 0; at < whole; at += 4) {
    hash = mixed(hash, byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24));
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) rest = (rest << 8) | byte(at);
  return finished(hash ^ scrambled(rest), bytes.length);
}

function scrambled(block: number): number {
  const product = Math.imul(block, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
}

function mixed(hash: number, block: number): number {
  const sum = hash ^ scrambled(block);
  return (Math.imul((sum << 13) | (sum >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(hash: number, length: number): number {
  let last = hash ^ length;
  last = Math.imul(last ^ (last >>> 16), 0x85ebca6b);
  last = Math.imul(last ^ (last >>> 13), 0xc2b2ae35);
  return (last ^ (last >>> 16)) >>> 0;
}
