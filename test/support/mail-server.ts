import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | undefined;
  readonly secure: boolean;
  readonly raw: string;
  /** Without transfer encodings: the decoded parts, the head above them. */
  readonly text: string;
};

export type MailServer = AsyncDisposable & {
  readonly port: number;
  readonly received: readonly ReceivedMail[];
};

export type MailServerWish = SMTPServerOptions & {
  /** Absent: one that is free. */
  readonly port?: number;
  /** What is answered instead of taking the mail: an SMTP code and words. */
  readonly refuse?: () => { readonly code: number; readonly words: string } | undefined;
};

const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, '../fixtures/tls', name));
const CERTIFICATE = { cert: fixture('server.pem'), key: fixture('server-key.pem') };

/** A real SMTP server on the loopback interface that keeps what it is given. */
export async function startMailServer({ refuse, port = 0, ...options }: MailServerWish = {}): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    // Without names, which would be asked for by address.
    disableReverseLookup: true,
    ...CERTIFICATE,
    ...options,
    onData(stream, { envelope, user, secure }, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.once('end', () => {
        const refusal = refuse?.();
        if (refusal !== undefined) {
          callback(Object.assign(new Error(refusal.words), { responseCode: refusal.code }));
          return;
        }
        const { mailFrom, rcptTo } = envelope;
        const raw = Buffer.concat(chunks).toString('latin1');
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: typeof user === 'string' ? user : undefined,
          secure,
          raw,
          text: decoded(raw),
        });
        callback(null, 'kept');
      });
    },
  });
  // A client that breaks off is no fault of the test.
  server.on('error', () => undefined);
  const listener = server.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    received,
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

/** Enough of MIME for what is sent here: parts in quoted-printable, base64 or as they are. */
function decoded(raw: string): string {
  const boundaries = [...raw.matchAll(/boundary="([^"]+)"/g)].map(([, boundary = '']) => `--${boundary}`);
  const parts = raw
    .split('\r\n')
    .reduce<string[][]>(
      (all, line) =>
        boundaries.some((mark) => line.startsWith(mark))
          ? [...all, []]
          : [...all.slice(0, -1), [...(all.at(-1) ?? []), line]],
      [[]],
    );
  return parts.map((lines) => decodedPart(lines.join('\r\n'))).join('\n');
}

function decodedPart(part: string): string {
  const end = part.indexOf('\r\n\r\n');
  const [head, body] = end === -1 ? [part, ''] : [part.slice(0, end), part.slice(end + 4)];
  const unfolded = head.replaceAll(/\r\n[ \t]+/g, ' ');
  if (/^content-transfer-encoding:\s*base64/im.test(unfolded)) {
    return `${unfolded}\n\n${Buffer.from(body, 'base64').toString('utf8')}`;
  }
  if (!/^content-transfer-encoding:\s*quoted-printable/im.test(unfolded)) return `${unfolded}\n\n${body}`;
  const bytes = body
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_mark, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return `${unfolded}\n\n${Buffer.from(bytes, 'latin1').toString('utf8')}`;
}
