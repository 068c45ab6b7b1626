import type { Examination } from '../../../core/model/drill.ts';
import type { GitCommitStep } from '../../../core/model/git-commit-step.ts';
import { describeStep } from '../../../core/model/step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { PlaceError } from '../../places/place-driver.ts';
import { SecretError, type SecretResolver } from '../../secrets.ts';
import {
  type Fingerprint,
  failed,
  type Observation,
  obstacle,
  ready,
  type StepContext,
  type StepDriver,
  type StepOf,
  type StepOutcome,
  unsure,
} from '../step-driver.ts';
import { buildTree } from './build-tree.ts';
import { type Git, GitFault, openGit } from './git.ts';
import { lookAtRemote, PlanFault, type PolicySource, type Remote, repositoryOf } from './remote.ts';

export type GitCommitHost = {
  readonly allow: AllowList;
  readonly secrets: SecretResolver;
  readonly hostName: string;
  readonly policySource: PolicySource | undefined;
};

/** A commit of an operation is found again by this line of its message. */
const TRAILER = 'Revertd-Operation';
/** So many of the branch's newest commits are searched for it. */
const SEARCHED_COMMITS = 100;
/** Somebody else may push between our look and our push. */
const TRIES = 3;

/**
 * Commits on a branch for a pull request, in a repository of its own that is thrown away. The push is one atomic update
 * of one branch, never forced; what is there already is neither committed nor pushed again.
 */
export function gitCommitStep(host: GitCommitHost): StepDriver<'gitCommit'> {
  return {
    describe: describeStep,
    examine: async (step, signal) => await examine(step, host, signal),
    prepare: () => Promise.resolve({}),
    perform: async (step, context) => {
      const deadline = startDeadline(context.signal, step.timeoutMs);
      try {
        return await commit(step, context, host, deadline.signal);
      } catch (error) {
        return blame(step, deadline, context.secrets, error);
      }
    },
    observe: async (step, fingerprint, signal) => {
      try {
        return await observe(step, fingerprint, host, signal);
      } catch (error) {
        if (error instanceof GitFault || error instanceof PlanFault || error instanceof SecretError) return 'unknown';
        throw error;
      }
    },
  };
}

/** Whether the repository lets us in and has the branches. Whether it takes a push shows only then. */
async function examine(step: GitCommitStep, host: GitCommitHost, signal: AbortSignal): Promise<Examination> {
  try {
    const url = repositoryOf(step, host.policySource, host.allow);
    await using git = await openGit(url, step, host.secrets, signal);
    const branch = branchOf(step, { operation: '' }, host);
    const { base } = await lookAtRemote(git, url, step, branch, host.policySource);
    return ready(`${url} can be read; it would be pushed to ${branch}, from ${base.name}`);
  } catch (error) {
    if (error instanceof GitFault || error instanceof PlanFault || error instanceof SecretError) {
      return signal.aborted ? unsure(error.message) : obstacle(error.message);
    }
    throw error;
  }
}

type Task = { readonly step: GitCommitStep; readonly url: string; readonly branch: string; readonly key: string };

async function commit(
  step: StepOf<'gitCommit'>,
  context: StepContext,
  host: GitCommitHost,
  signal: AbortSignal,
): Promise<StepOutcome> {
  const key = keyOf(context.operation, host.hostName);
  const task = {
    step,
    key,
    url: repositoryOf(step, host.policySource, host.allow),
    branch: branchOf(step, context, host),
  };
  await using git = await openGit(task.url, step, context.secrets, signal);
  for (let tries = 1; ; tries += 1) {
    const remote = await lookAtRemote(git, task.url, step, task.branch, host.policySource);
    const made = await commitOn(git, task, remote, host);
    if (made.kind === 'there') return { outcome: 'done', detail: made.detail };
    context.remember({ key, branch: task.branch });
    context.log(`pushing ${made.commit} to ${task.branch} of ${task.url}`);
    const pushed = await push(git, task, made.commit);
    if (pushed === undefined)
      return { outcome: 'done', detail: `pushed ${made.commit} to ${task.branch} of ${task.url}` };
    if (tries === TRIES) return failed('rejected', `${task.url} did not take the branch ${task.branch}: ${pushed}`);
  }
}

type Made = { readonly kind: 'there'; readonly detail: string } | { readonly kind: 'new'; readonly commit: string };

async function commitOn(git: Git, task: Task, remote: Remote, host: GitCommitHost): Promise<Made> {
  const found = await findCommit(git, task, remote);
  if (found !== undefined) return { kind: 'there', detail: `${task.branch} has it already, as ${found}` };
  if (remote.branch.tip === undefined) await fetch(git, task.url, remote.base.name, 1);
  const parent = remote.branch.tip ?? remote.base.tip;
  const tree = await buildTree(git, parent, task.step.changes, host.policySource?.folder ?? '');
  if (tree === (await git.run(['rev-parse', `${parent}^{tree}`]))) {
    const where = remote.branch.tip === undefined ? remote.base.name : task.branch;
    return { kind: 'there', detail: `nothing to commit: ${where} is so already` };
  }
  const sign = task.step.signingKey === undefined ? [] : ['-S'];
  const message = `${task.step.message.trimEnd()}\n\n${TRAILER}: ${task.key}\n`;
  const { name, email } = task.step.author;
  const who = ['-c', `user.name=${name}`, '-c', `user.email=${email}`];
  return { kind: 'new', commit: await git.run([...who, 'commit-tree', ...sign, '-p', parent, tree], message) };
}

/** The commit that an earlier attempt has pushed. */
async function findCommit(git: Git, { url, branch, key }: Task, remote: Remote): Promise<string | undefined> {
  const { tip } = remote.branch;
  if (tip === undefined) return undefined;
  await fetch(git, url, branch, SEARCHED_COMMITS);
  const format = `--format=%H%x00%(trailers:key=${TRAILER},valueonly,separator=%x00)`;
  const lines = (await git.run(['log', `--max-count=${SEARCHED_COMMITS}`, format, tip])).split('\n');
  return lines.map((line) => line.split('\0')).find(([, ...keys]) => keys.includes(key))?.[0];
}

async function fetch(git: Git, url: string, branch: string, depth: number): Promise<void> {
  await git.run(['fetch', '--quiet', '--no-tags', `--depth=${depth}`, '--', url, `refs/heads/${branch}`]);
}

/** What the remote said if it refused; undefined if it took it. */
async function push(git: Git, { url, branch }: Task, commit: string): Promise<string | undefined> {
  try {
    await git.run(['push', '--quiet', '--no-verify', '--', url, `${commit}:refs/heads/${branch}`]);
    return undefined;
  } catch (error) {
    if (error instanceof GitFault && error.code === 'exit') return error.message;
    throw error;
  }
}

/** The same when the step is decided anew after a crash, which gives it another number. */
function keyOf(operation: string, hostName: string): string {
  return `${hostName} ${operation.replace(/#\d+$/, '')}`;
}

function branchOf(
  { branch }: GitCommitStep,
  { operation }: Pick<StepContext, 'operation'>,
  { hostName }: GitCommitHost,
): string {
  if (branch !== undefined) return branch;
  const incident = /^step:([^/]+)\//.exec(operation)?.[1] ?? 'change';
  return `revertd/${hostName.replaceAll(/[^A-Za-z0-9.-]/g, '-')}/${incident}`;
}

async function observe(
  step: GitCommitStep,
  fingerprint: Fingerprint,
  host: GitCommitHost,
  signal: AbortSignal,
): Promise<Observation> {
  const fields = new Map(Object.entries(typeof fingerprint === 'object' ? (fingerprint ?? {}) : {}));
  const [key, branch] = [fields.get('key'), fields.get('branch')];
  if (typeof key !== 'string' || typeof branch !== 'string') return 'notDone';
  const url = repositoryOf(step, host.policySource, host.allow);
  await using git = await openGit(url, step, host.secrets, signal);
  const remote = await lookAtRemote(git, url, step, branch, host.policySource);
  return (await findCommit(git, { step, url, branch, key }, remote)) === undefined ? 'notDone' : 'done';
}

function blame(step: StepOf<'gitCommit'>, deadline: Deadline, secrets: SecretResolver, error: unknown): StepOutcome {
  const what = describeStep(step);
  if (deadline.cause() === 'aborted') return failed('aborted', `${what} was stopped; the push may have taken effect`);
  if (deadline.cause() === 'timedOut') {
    return failed(
      'timedOut',
      `${what} was not done after ${formatDuration(step.timeoutMs)}; the push may have taken effect`,
    );
  }
  if (error instanceof SecretError) return failed('secret', error.message);
  if (error instanceof PlanFault) return failed(error.code, error.message);
  if (error instanceof PlaceError) return failed('badFile', error.message);
  if (error instanceof GitFault) return failed('git', secrets.redact(`${what}: ${error.message}`));
  throw error;
}
