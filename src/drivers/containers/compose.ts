import { basename, dirname } from 'node:path';
import type { ComposeProject, ComposeVerb } from '../../core/model/container-step.ts';
import { type ProcessEnd, runProcess } from '../process.ts';
import type { SecretResolver } from '../secrets.ts';

/** Runs the host's program for compose projects. */
export type Compose = (project: ComposeProject, call: ComposeCall) => Promise<ProcessEnd>;

export type ComposeCall = {
  readonly signal: AbortSignal;
  readonly secrets: Pick<SecretResolver, 'redactor'>;
  /** The engine's socket, handed on so that both speak to the same engine. */
  readonly socket: string;
};

/** The programs that are tried where the configuration names none. */
const USUAL_PROGRAMS = [['docker', 'compose'], ['docker-compose'], ['podman-compose']] as const;

/** Never rejects. An empty vector names none. The program is sought once, and again while none was found. */
export function createCompose(configured: readonly string[] | undefined): Compose {
  let known = configured?.length === 0 ? undefined : configured;
  return async (project, call) => {
    known ??= await findProgram(call);
    if (known === undefined) {
      const tried = USUAL_PROGRAMS.map((argv) => argv.join(' ')).join(', ');
      const message = `none of ${tried} answers; install one, or name it in the configuration (containers.compose)`;
      return { kind: 'notStarted', code: 'missingProgram', message };
    }
    return await runAll(known, composeCommands(known, project), dirname(project.on.file), call);
  };
}

async function findProgram(call: ComposeCall): Promise<readonly string[] | undefined> {
  for (const argv of USUAL_PROGRAMS) {
    const end = await run([...argv, 'version'], '/', call);
    if (end.kind === 'exited' && end.code === 0) return argv;
  }
  return undefined;
}

/** One after the other; the first that does not end with 0 is the end. */
async function runAll(
  program: readonly string[],
  commands: readonly (readonly string[])[],
  cwd: string,
  call: ComposeCall,
): Promise<ProcessEnd> {
  const [first = [], ...more] = commands;
  const end = await run([...program, ...first], cwd, call);
  const isDone = end.kind === 'exited' && end.code === 0;
  return isDone && more.length > 0 ? await runAll(program, more, cwd, call) : end;
}

async function run(
  argv: readonly string[],
  cwd: string,
  { signal, secrets, socket }: ComposeCall,
): Promise<ProcessEnd> {
  const env = { DOCKER_HOST: `unix://${socket}`, COMPOSE_ANSI: 'never', COMPOSE_PROGRESS: 'plain' };
  return await runProcess({ argv, cwd, env, secrets }, signal);
}

/** What follows the program. Services are never taken for options: their names begin with a letter or a digit. */
export function composeCommands(
  program: readonly string[],
  { on, do: verb }: ComposeProject,
): readonly (readonly string[])[] {
  const project = on.project === undefined ? [] : ['--project-name', on.project];
  const head = ['--file', on.file, ...project];
  const isPodman = basename(program[0] ?? '') === 'podman-compose';
  return verbArguments(verb, on.services.length > 0, isPodman).map((words) => [...head, ...words, ...on.services]);
}

function verbArguments(verb: ComposeVerb, isPartial: boolean, isPodman: boolean): readonly (readonly string[])[] {
  const graceMs = 'graceMs' in verb ? verb.graceMs : undefined;
  const grace = graceMs === undefined ? [] : ['--timeout', String(Math.ceil(graceMs / 1000))];
  switch (verb.kind) {
    case 'up':
      return [['up', '--detach']];
    case 'recreate':
      return [['up', '--detach', '--force-recreate']];
    case 'start':
      return [['start']];
    case 'stop':
    case 'restart':
      return [[verb.kind, ...grace]];
    case 'down':
      // Not every version of docker's compose takes services with `down`; all of them stop and remove with these.
      return isPartial && !isPodman
        ? [
            ['stop', ...grace],
            ['rm', '--force'],
          ]
        : [['down', ...grace]];
  }
}
