import { readFile } from 'node:fs/promises';
import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { MailServer } from '../../../core/model/notifier.ts';

/** `refused`: the server takes this mail from nobody. `failed`: it may take it later. */
export class MailFault extends Error {
  override readonly name = 'MailFault';
  readonly code: 'refused' | 'failed';

  constructor(code: MailFault['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export type Envelope = { readonly from: string; readonly to: readonly string[] };
export type Login = { readonly username: string; readonly password: string };

/** Gives one mail to one server, on a connection of its own that ends with the signal. @throws MailFault */
export async function submitMail(
  server: MailServer,
  login: Login | undefined,
  envelope: Envelope,
  mail: Buffer,
  signal: AbortSignal,
): Promise<string> {
  // Most daemons send no mail, and need not load what does.
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const connection = new Connection(await optionsOf(server));
  const { promise: broken, reject } = Promise.withResolvers<never>();
  broken.catch(() => undefined);
  connection.on('error', reject);
  const stop = (): void => reject(new MailFault('failed', 'the mail server did not take it in time'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) stop();
    return await Promise.race([converse(connection, login, envelope, mail), broken]);
  } catch (error) {
    throw asFault(error);
  } finally {
    signal.removeEventListener('abort', stop);
    connection.close();
  }
}

async function optionsOf({ host, port, security, tls = {} }: MailServer) {
  const { caFile, serverName } = tls;
  return {
    host,
    port,
    secure: security === 'implicit',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: {
      minVersion: 'TLSv1.2' as const,
      ...(caFile === undefined ? {} : { ca: await readAuthority(caFile) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
  };
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new MailFault('failed', `tls.caFile ${path} cannot be read`, error);
  }
}

async function converse(
  connection: SMTPConnection,
  login: Login | undefined,
  envelope: Envelope,
  mail: Buffer,
): Promise<string> {
  await called((done) => connection.connect(done));
  if (login !== undefined) {
    await called((done) => connection.login({ user: login.username, pass: login.password }, done));
  }
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  connection.send({ from: envelope.from, to: [...envelope.to] }, mail, (error, info) => {
    if (error !== null) return reject(error);
    const refused = info?.rejected ?? [];
    resolve(`${info?.response ?? ''}${refused.length === 0 ? '' : `; refused for ${refused.join(', ')}`}`);
  });
  const answer = await promise;
  connection.quit();
  return answer;
}

async function called(call: (done: (error?: Error | null) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  call((error) => (error === undefined || error === null ? resolve() : reject(error)));
  await promise;
}

/** A login or a certificate is mended without a new mail; what is refused with 5xx afterwards is not (RFC 5321, 4.2.1). */
function asFault(error: unknown): MailFault {
  if (error instanceof MailFault) return error;
  if (!(error instanceof Error)) return new MailFault('failed', String(error), error);
  const code = 'code' in error ? String(error.code) : '';
  const isFinal = 'permanent' in error && error.permanent === true && code !== 'EAUTH' && code !== 'ETLS';
  return new MailFault(isFinal ? 'refused' : 'failed', `${error.message}${code === '' ? '' : ` (${code})`}`, error);
}
