import type { EmailType, MailServer } from '../core/model/notifier.ts';
import { type BuildContext, fault, refuseUnless } from './build-context.ts';
import { checkSecret } from './build-parts.ts';
import { buildTls } from './build-source-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawEmail } from './raw-documents.ts';

/** RFC 6409 and RFC 8314: submission with STARTTLS, and with TLS from the first byte. */
const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export function buildEmail(context: BuildContext, path: Path, raw: RawEmail): EmailType {
  const { to, from, auth } = raw;
  const server = {
    ...buildServer(context, [...path, 'server'], raw.server),
    ...buildTls(context, [...path, 'tls'], raw.tls),
  };
  return {
    kind: 'email',
    to,
    from,
    server,
    ...(auth === undefined
      ? {}
      : {
          auth: {
            username: auth.username,
            password: checkSecret(context, [...path, 'auth', 'password'], auth.password),
          },
        }),
  };
}

const ELSEWHERE: MailServer = { host: 'localhost', port: 587, security: 'starttls' };

function buildServer(context: BuildContext, path: Path, text: string): MailServer {
  if (hasVariable(text)) return ELSEWHERE;
  const url = URL.parse(text);
  const protocol = url?.protocol;
  if (url === null || (protocol !== 'smtp:' && protocol !== 'smtps:') || url.hostname === '') {
    const message = `\`server\` is not an smtp or smtps address: found "${text}"`;
    fault(context, path, 'E-URL', { message, found: text, expected: 'smtp://HOST[:PORT] or smtps://HOST[:PORT]' });
    return ELSEWHERE;
  }
  if (url.username !== '' || url.password !== '') {
    fault(context, path, 'E-SECRET', '`server` has a user name or password in it; name them in `auth` instead');
  } else if (!['', '/'].includes(url.pathname) || url.search !== '' || url.hash !== '') {
    fault(context, path, 'E-URL', { message: `\`server\` is a host and a port alone: found "${text}"`, found: text });
  }
  const port = url.port === '' ? PORTS[protocol] : Number(url.port);
  refuseUnless(context, path, context.allow.server?.(url.hostname, port));
  const security = protocol === 'smtps:' ? 'implicit' : LOOPBACK.test(url.hostname) ? 'none' : 'starttls';
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port, security };
}
