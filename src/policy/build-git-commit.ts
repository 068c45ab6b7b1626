import type { GitChange, GitCommitStep } from '../core/model/git-commit-step.ts';
import { type BuildContext, fault, faultAtKey, pathAt, refuseUnless, valueOrigin } from './build-context.ts';
import { buildEntryEdit, refuseMixture } from './build-edit-file.ts';
import { checkSecret } from './build-parts.ts';
import { buildAuth } from './build-source-parts.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawGitChange, RawGitCommit } from './raw-documents.ts';

const DEFAULT_AUTHOR = { name: 'revertd', email: 'revertd@localhost' };

export function buildGitCommit(context: BuildContext, path: Path, raw: RawGitCommit): GitCommitStep {
  const { repository, base, branch, message, sshKey, signingKey, knownHostsFile } = raw;
  if (repository !== undefined) checkRepository(context, [...path, 'repository'], repository);
  if (branch !== undefined && branch === base) {
    const text = `the commit would go to \`base\` itself (${base}); revertd only commits to a branch for a pull request`;
    fault(context, [...path, 'branch'], 'E-BRANCH', { message: text, found: branch });
  }
  return {
    kind: 'gitCommit',
    ...(repository === undefined ? {} : { repository }),
    ...(base === undefined ? {} : { base }),
    ...(branch === undefined ? {} : { branch }),
    message,
    changes: raw.changes.map((change, index) => buildChange(context, [...path, 'changes', index], change)),
    author: raw.author ?? DEFAULT_AUTHOR,
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...(sshKey === undefined ? {} : { sshKey: checkSecret(context, [...path, 'sshKey'], sshKey) }),
    ...(signingKey === undefined ? {} : { signingKey: checkSecret(context, [...path, 'signingKey'], signingKey) }),
    ...(knownHostsFile === undefined
      ? {}
      : { knownHostsFile: pathAt(context, [...path, 'knownHostsFile'], knownHostsFile, 'read') }),
  };
}

function checkRepository(context: BuildContext, path: Path, text: string): void {
  if (hasVariable(text)) return;
  const url = URL.parse(text);
  if (url !== null && (url.password !== '' || (url.username !== '' && url.protocol.startsWith('http')))) {
    fault(context, path, 'E-SECRET', '`repository` has a user name or password in it; name the secret in auth instead');
  } else if (/^https?:/.test(text)) refuseUnless(context, path, context.allow.url?.(text));
  else if (text.startsWith('/')) pathAt(context, path, text, 'write');
}

function buildChange(context: BuildContext, path: Path, raw: RawGitChange): GitChange {
  if (raw.flag !== undefined) {
    const origin = valueOrigin(context, [...path, 'flag']);
    context.references.push({ kind: 'Flag', name: raw.flag, origin, variant: 'safe' });
    return { kind: 'flag', flag: raw.flag };
  }
  const file = raw.path ?? '';
  refuseMixture(context, path, raw);
  if (file.split('/').includes('.git')) fault(context, [...path, 'path'], 'E-PATH', '`path` leads into .git');
  if (raw.delete === true) return { kind: 'delete', path: file };
  if (raw.content !== undefined) return { kind: 'content', path: file, content: raw.content };
  if (raw.set === undefined && raw.remove === undefined) {
    const message = 'nothing is changed in this file; say one of set, remove, content and delete';
    faultAtKey(context, [...path, 'path'], 'E-EDIT', message);
  }
  return { kind: 'entries', path: file, ...buildEntryEdit(context, path, file, raw) };
}
