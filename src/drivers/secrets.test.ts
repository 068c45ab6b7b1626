import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSecretResolver, resolveTexts } from './secrets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'revertd-secret-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('resolving', () => {
  it('reads credentials, files and variables, without one newline at the end', async () => {
    await writeFile(join(folder, 'token'), 'value-1\n');
    await writeFile(join(folder, 'other'), 'value-2\n\r\n');
    const secrets = createSecretResolver({ CREDENTIALS_DIRECTORY: folder, NAME: 'value-3' });
    expect(await secrets.resolve({ credential: 'token' })).toBe('value-1');
    expect(await secrets.resolve({ file: join(folder, 'other') })).toBe('value-2\n');
    expect(await secrets.resolve({ env: 'NAME' })).toBe('value-3');
  });

  it('reads anew, so that a rotated secret is used', async () => {
    const file = join(folder, 'token');
    const secrets = createSecretResolver({});
    await writeFile(file, 'old-value');
    await secrets.resolve({ file });
    await writeFile(file, 'new-value');
    expect(await secrets.resolve({ file })).toBe('new-value');
    expect(secrets.redact('old-value new-value')).toBe('[redacted] [redacted]');
  });

  it.each([
    [{ credential: 'absent' }, 'missing', 'the credential absent does not exist'],
    [{ credential: '../token' }, 'badName', 'is not the name of a credential'],
    [{ credential: '..' }, 'badName', 'is not the name of a credential'],
    [{ file: '/nowhere/at/all' }, 'missing', 'the secret file /nowhere/at/all does not exist'],
    [{ file: '/tmp' }, 'io', 'the secret file /tmp'],
    [{ env: 'ABSENT' }, 'missing', 'the environment variable ABSENT is not set'],
    [{ env: 'EMPTY' }, 'empty', 'the environment variable EMPTY is empty'],
  ])('says what is wrong with %j', async (ref, code, message) => {
    const secrets = createSecretResolver({ CREDENTIALS_DIRECTORY: folder, EMPTY: '\n' });
    await expect(secrets.resolve(ref)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('says how to give revertd a credential', async () => {
    await expect(createSecretResolver({}).resolve({ credential: 'token' })).rejects.toMatchObject({
      code: 'noCredentials',
      message: expect.stringContaining('LoadCredential=token:'),
    });
  });

  it('refuses what is too large to be a secret', async () => {
    await writeFile(join(folder, 'large'), 'x'.repeat(65_537));
    await expect(createSecretResolver({}).resolve({ file: join(folder, 'large') })).rejects.toMatchObject({
      code: 'tooLarge',
    });
  });

  it('resolves the secrets among texts', async () => {
    const secrets = createSecretResolver({ NAME: 'value' });
    expect(await resolveTexts({ a: 'plain', b: { env: 'NAME' } }, secrets)).toStrictEqual({ a: 'plain', b: 'value' });
  });
});

describe('redacting', () => {
  const knowing = async (...values: readonly string[]) => {
    const environment = Object.fromEntries(values.map((value, index) => [`S${index}`, value]));
    const secrets = createSecretResolver(environment);
    for (const env of Object.keys(environment)) await secrets.resolve({ env });
    return secrets;
  };

  it('changes nothing before a secret was resolved', () => {
    expect(createSecretResolver({ A: 'value' }).redact('value')).toBe('value');
  });

  it('finds the forms in which programs echo a secret', async () => {
    const secrets = await knowing('p"a s/s');
    expect(secrets.redact('p"a s/s p\\"a s/s p%22a%20s%2Fs cCJhIHMvcw==')).toBe(
      '[redacted] [redacted] [redacted] [redacted]',
    );
  });

  it('finds the longest first, and single lines of a key', async () => {
    const secrets = await knowing('abc', 'abcdef', '-----BEGIN-----\nMIIEvQIBADANBgkqhkiG9w0\n-----END-----');
    expect(secrets.redact('abcdef')).toBe('[redacted]');
    expect(secrets.redact('x MIIEvQIBADANBgkqhkiG9w0 y')).toBe('x [redacted] y');
  });

  it('finds it however a stream is cut', async () => {
    const secrets = await knowing('hunter22', 'hunt');
    const text = 'a hunter22 b hunt c huntehunter22';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (given) => {
        const cuts = [0, ...given.sort((one, other) => one - other), text.length];
        const redactor = secrets.redactor();
        const pieces = cuts.slice(1).map((end, index) => redactor.push(text.slice(cuts[index], end)));
        const shown = pieces.join('') + redactor.end();
        expect(shown).not.toContain('hunt');
        expect(shown).toMatch(/^a .* b .* c .*$/);
      }),
    );
  });
});
