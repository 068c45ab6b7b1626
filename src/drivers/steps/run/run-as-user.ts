import { runProcess } from '../../process.ts';

/** Somebody of the host's users, as passwd(5) has them. */
export type HostUser = { readonly uid: number; readonly gid: number; readonly home: string };

export class UserFault extends Error {
  override readonly name = 'UserFault';
  readonly code: 'noSuchUser' | 'notPermitted';

  constructor(code: UserFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const PLAIN = { redactor: () => ({ push: (piece: string) => piece, end: () => '' }) };

/**
 * The program as another user, with that user's groups and nothing of revertd's. setpriv puts the program into its own
 * place, so that it is still the leader of its process group. Rejects with UserFault.
 */
export async function asUser(
  name: string,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly argv: readonly string[]; readonly home: string }> {
  const { uid, gid, home } = await lookUp(name, signal);
  const own = process.getuid?.();
  if (own === uid) return { argv, home };
  if (own !== 0) {
    throw new UserFault(
      'notPermitted',
      `revertd runs as user ${own} and may not run programs as ${name}; only root may`,
    );
  }
  return { argv: ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--', ...argv], home };
}

async function lookUp(name: string, signal: AbortSignal): Promise<HostUser> {
  const end = await runProcess({ argv: ['getent', 'passwd', '--', name], secrets: PLAIN }, signal);
  const [line = ''] = end.kind === 'exited' && end.code === 0 ? end.output.split('\n') : [];
  const [, , uid = '', gid = '', , home = ''] = line.split(':');
  if (/^\d+$/.test(uid) && /^\d+$/.test(gid)) return { uid: Number(uid), gid: Number(gid), home };
  throw new UserFault('noSuchUser', `this host has no user ${name}`);
}
