import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { SecretRef } from '../core/model/secret-ref.ts';

/** Gives the values that policies only name, and keeps them out of everything that is written down. */
export type SecretResolver = {
  /** The value without one newline at its end, read anew each time. Rejects with SecretError. */
  readonly resolve: (ref: SecretRef) => Promise<string>;
  /** The text without any value that was ever resolved, in the forms in which programs echo them. */
  readonly redact: (text: string) => string;
  /** The same for text that arrives in pieces, wherever they are cut. */
  readonly redactor: () => Redactor;
};

export type Redactor = { readonly push: (piece: string) => string; readonly end: () => string };

export type SecretErrorCode = 'noCredentials' | 'badName' | 'missing' | 'notPermitted' | 'tooLarge' | 'empty' | 'io';

/** Names the reference, never the value. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly code: SecretErrorCode;

  constructor(code: SecretErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const LARGEST_SECRET_BYTES = 64 * 1024;
const REDACTED = '[redacted]';
/** Lines of a secret that has several, such as a key, are redacted alone from this length on. */
const SHORTEST_TELLING_LINE = 16;

/** `environment` is the daemon's own; systemd names the folder of its credentials in it (systemd.exec(5), CREDENTIALS). */
export function createSecretResolver(environment: Readonly<Record<string, string | undefined>>): SecretResolver {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  let longest = 0;
  const remember = (value: string) => {
    for (const form of formsOf(value)) forms.add(form);
    const sorted = [...forms].sort((one, other) => other.length - one.length);
    longest = sorted[0]?.length ?? 0;
    pattern = new RegExp(sorted.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'), 'g');
  };
  const redact = (text: string) => (pattern === undefined ? text : text.replace(pattern, REDACTED));
  return {
    resolve: async (ref) => {
      const value = (await read(ref, environment)).replace(/\r?\n$/, '');
      if (value === '') throw new SecretError('empty', `${describeSecret(ref)} is empty`);
      remember(value);
      return value;
    },
    redact,
    redactor: () => createRedactor(redact, () => longest),
  };
}

/** For messages: `the credential slack-url`. */
export function describeSecret(ref: SecretRef): string {
  if ('credential' in ref) return `the credential ${ref.credential}`;
  return 'file' in ref ? `the secret file ${ref.file}` : `the environment variable ${ref.env}`;
}

/** Headers, or variables, with the secrets among them resolved. */
export async function resolveTexts(
  texts: Readonly<Record<string, string | SecretRef>>,
  secrets: SecretResolver,
): Promise<Readonly<Record<string, string>>> {
  const pairs: (readonly [string, string])[] = [];
  for (const [name, text] of Object.entries(texts)) {
    pairs.push([name, typeof text === 'string' ? text : await secrets.resolve(text)]);
  }
  return Object.fromEntries(pairs);
}

/** Text that may be the beginning of a secret is held back until it is known not to be. */
function createRedactor(redact: (text: string) => string, longest: () => number): Redactor {
  let held = '';
  return {
    push: (piece) => {
      const text = redact(held + piece);
      const cut = Math.max(0, text.length - Math.max(0, longest() - 1));
      held = text.slice(cut);
      return text.slice(0, cut);
    },
    end: () => {
      const rest = redact(held);
      held = '';
      return rest;
    },
  };
}

function formsOf(value: string): string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= SHORTEST_TELLING_LINE);
  const encoded = [JSON.stringify(value).slice(1, -1), encodeURIComponent(value.toWellFormed())];
  return [value, ...lines, ...encoded, Buffer.from(value).toString('base64')];
}

async function read(ref: SecretRef, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  if ('file' in ref) return await readSecretFile(ref.file, ref);
  if ('env' in ref) {
    const value = environment[ref.env];
    if (value !== undefined) return value;
    throw new SecretError('missing', `${describeSecret(ref)} is not set for revertd`);
  }
  const folder = environment['CREDENTIALS_DIRECTORY'];
  if (!/^[A-Za-z0-9_.-]+$/.test(ref.credential) || /^\.+$/.test(ref.credential)) {
    throw new SecretError('badName', `${JSON.stringify(ref.credential)} is not the name of a credential`);
  }
  if (folder === undefined) {
    const mend = `add LoadCredential=${ref.credential}:/path/to/file to revertd's unit`;
    throw new SecretError(
      'noCredentials',
      `${describeSecret(ref)} is not there: systemd gave none to revertd; ${mend}`,
    );
  }
  return await readSecretFile(join(folder, ref.credential), ref);
}

async function readSecretFile(path: string, ref: SecretRef): Promise<string> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw new SecretError('io', `${describeSecret(ref)} is not a regular file`);
    if (stats.size <= LARGEST_SECRET_BYTES) return await file.readFile('utf8');
    throw new SecretError('tooLarge', `${describeSecret(ref)} has more than ${LARGEST_SECRET_BYTES} bytes`);
  } catch (error) {
    throw asSecretError(ref, error);
  }
}

function asSecretError(ref: SecretRef, error: unknown): SecretError {
  if (error instanceof SecretError) return error;
  const errno = error instanceof Error && 'code' in error ? error.code : undefined;
  const what = describeSecret(ref);
  if (errno === 'ENOENT') return new SecretError('missing', `${what} does not exist`, error);
  if (errno === 'EACCES') return new SecretError('notPermitted', `${what} may not be read by revertd`, error);
  return new SecretError('io', `${what} could not be read (${String(errno)})`, error);
}
