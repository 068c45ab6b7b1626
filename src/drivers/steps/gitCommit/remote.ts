import type { GitCommitStep } from '../../../core/model/git-commit-step.ts';
import type { AllowList } from '../../allow-list.ts';
import type { Git } from './git.ts';

/** Where policies come from, as the host's configuration says. */
export type PolicySource = { readonly url: string; readonly branch?: string; readonly folder?: string };

export class PlanFault extends Error {
  override readonly name = 'PlanFault';
  readonly code: 'notAllowed' | 'notSupported' | 'badFile';

  constructor(code: PlanFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The repository that the step means. Throws PlanFault if there is none, or this host does not allow it. */
export function repositoryOf(
  { repository }: GitCommitStep,
  source: PolicySource | undefined,
  allow: AllowList,
): string {
  if (repository === undefined) {
    if (source !== undefined) return source.url;
    throw new PlanFault('notSupported', 'the policies come from no repository; name one with `repository`');
  }
  const refused = refusal(repository, allow);
  if (refused !== undefined) throw new PlanFault('notAllowed', refused);
  return repository;
}

function refusal(repository: string, allow: AllowList): string | undefined {
  if (repository.startsWith('-')) return `${repository} is not the address of a repository`;
  if (/^https?:\/\//.test(repository)) return allow.mayCall(repository);
  const local = repository.startsWith('file://') ? decodeURIComponent(new URL(repository).pathname) : repository;
  if (local.startsWith('/')) return allow.mayWrite(local);
  const [, host] = /^(?:ssh:\/\/)?(?:[^@/]+@)?(\[[^\]]+\]|[^:/]+)(?::|\/)/.exec(repository) ?? [];
  if (host === undefined) return `${repository} is not the address of a repository`;
  return allow.mayConnect(host, 22);
}

export type Remote = {
  readonly base: { readonly name: string; readonly tip: string };
  readonly branch: { readonly name: string; readonly tip: string | undefined };
};

/** Looks at the remote's branches. Throws PlanFault if the step would touch one that is followed, GitFault. */
export async function lookAtRemote(
  git: Git,
  url: string,
  step: GitCommitStep,
  branch: string,
  source: PolicySource | undefined,
): Promise<Remote> {
  await git.run(['check-ref-format', '--branch', branch]).catch(() => {
    throw new PlanFault('notSupported', `${JSON.stringify(branch)} is not the name of a branch`);
  });
  const listed = await git.run(['ls-remote', '--symref', '--', url]);
  const head = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listed)?.[1];
  const tips = new Map(
    [...listed.matchAll(/^([0-9a-f]{40,64})\trefs\/heads\/(\S+)$/gm)].map(([, sha, name]) => [name, sha]),
  );
  const tracked = source !== undefined && source.url === url ? source.branch : undefined;
  const base = step.base ?? tracked ?? head;
  const tip = base === undefined ? undefined : tips.get(base);
  if (base === undefined || tip === undefined) {
    throw new PlanFault('notSupported', `${url} has no branch ${base ?? 'by default'}; name one with \`base\``);
  }
  const followed = [base, head, source?.branch].find((name) => name === branch);
  if (followed !== undefined) {
    throw new PlanFault(
      'notAllowed',
      `${branch} is a branch that is followed; revertd commits to others only, for a pull request`,
    );
  }
  return { base: { name: base, tip }, branch: { name: branch, tip: tips.get(branch) } };
}
