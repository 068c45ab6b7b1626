/** Names and content may hold anything: also what would steer a terminal, or show text in another order than it has. */
export function printable(text: string): string {
  return Array.from(text, (one) => {
    const code = one.codePointAt(0) ?? 0;
    const steers = (code < 0x20 && one !== '\t') || (code >= 0x7f && code < 0xa0);
    if (steers) return `\\x${code.toString(16).padStart(2, '0')}`;
    return reorders(code) ? `\\u${code.toString(16)}` : one;
  }).join('');
}

/** Unicode's explicit directional formatting (UAX #9). */
function reorders(code: number): boolean {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
