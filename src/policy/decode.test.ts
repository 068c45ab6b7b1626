import { describe, expect, it } from 'vitest';
import { policyFile, printed } from '../../test/tools/policy-fixtures.ts';
import { decode, LARGEST_FILE_BYTES } from './decode.ts';
import { loadPolicies } from './load.ts';

const OPTIONS = { revision: 'r', host: {}, hostLabels: {} };
const GOOD = `apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: oncall }
spec:
  command: { argv: [/bin/true] }
`;

function bytes(...parts: readonly (string | readonly number[])[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.from(typeof part === 'string' ? Buffer.from(part) : part)));
}

describe('what is no text', () => {
  it.each([
    [
      'a byte of Latin-1',
      bytes('a: 1\nb: gr', [0xfc], 'n\n'),
      '2:6 error[E-ENCODING] the file is not UTF-8: found the byte 0xfc; save it as UTF-8',
    ],
    [
      'a character cut off at the end',
      bytes('a: "', [0xc3]),
      '1:5 error[E-ENCODING] the file is not UTF-8: found the byte 0xc3; save it as UTF-8',
    ],
    [
      'a lone surrogate',
      bytes('a: ', [0xed, 0xa0, 0x80]),
      '1:4 error[E-ENCODING] the file is not UTF-8: found the byte 0xa0; save it as UTF-8',
    ],
    [
      'UTF-16',
      bytes([0xff, 0xfe], 'a\0:\0'),
      '1:1 error[E-ENCODING] the file is not UTF-8 but UTF-16 (little-endian); save it as UTF-8',
    ],
    [
      'a byte after a good character',
      bytes('ä: ', [0xff]),
      '1:4 error[E-ENCODING] the file is not UTF-8: found the byte 0xff; save it as UTF-8',
    ],
    [
      'a NUL byte',
      bytes('a: 1\nb: \0\n'),
      '2:4 error[E-CONTROL-CHARACTER] found a NUL byte, which YAML does not allow; is this a text file? Remove it, or write it as "\\u0000" in double quotes',
    ],
    [
      'an escape character',
      bytes('a: \u001b[31m\n'),
      '1:4 error[E-CONTROL-CHARACTER] found the control character U+001B, which YAML does not allow; is this a text file? Remove it, or write it as "\\u001B" in double quotes',
    ],
    [
      'the line ends of an old Mac',
      bytes('a: 1\rb: 2\r'),
      '1:5 error[E-LINE-END] found a carriage return without a line feed; save the file with line ends of UNIX or Windows',
    ],
    [
      '50 MB',
      new Uint8Array(50 * 1024 * 1024),
      '1:1 error[E-FILE-SIZE] the file is too large: found 50.0 MiB, expected at most 1 MiB',
    ],
    [
      'one byte too much',
      new Uint8Array(LARGEST_FILE_BYTES + 1),
      '1:1 error[E-FILE-SIZE] the file is too large: found 1.0 MiB, expected at most 1 MiB',
    ],
  ])('%s', (_, content, line) => {
    expect(printed(loadPolicies([{ path: 'f.yaml', bytes: content }], OPTIONS))).toEqual([`f.yaml:${line}`]);
  });
});

describe('what is text all the same', () => {
  it.each([
    ['a byte order mark', `\ufeff${GOOD}`],
    ['Windows line ends', GOOD.replaceAll('\n', '\r\n')],
    ['no line end at the end', GOOD.trimEnd()],
    ['comments and empty documents around', `# a remark\n---\n---\n${GOOD}---\n# nothing\n`],
    ['a document end mark', `${GOOD}...\n`],
  ])('%s', (_, text) => {
    const result = loadPolicies([policyFile('f.yaml', text)], OPTIONS);
    expect(result).toMatchObject({ ok: true, warnings: [], documents: 1, files: 1 });
  });

  it('a byte order mark does not move the columns', () => {
    const result = loadPolicies([policyFile('f.yaml', `\ufeffkind: flag\napiVersion: revertd.dev/v1\n`)], OPTIONS);
    expect(printed(result)[0]).toBe('f.yaml:1:7 error[E-KIND] unknown kind "flag"; did you mean Flag?');
  });

  it('a file of the largest size is read', () => {
    expect(decode({ path: 'f.yaml', bytes: new Uint8Array(LARGEST_FILE_BYTES).fill(0x23) }).ok).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \n\n'],
    ['a remark', '# later\n'],
    ['a mark', '---\n'],
  ])('a file of %s says nothing', (_, text) => {
    const result = loadPolicies([policyFile('f.yaml', text)], OPTIONS);
    expect(result).toMatchObject({ ok: true, documents: 0, files: 0 });
  });
});
