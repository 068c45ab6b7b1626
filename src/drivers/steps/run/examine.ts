import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Examination } from '../../../core/model/drill.ts';
import type { AllowList } from '../../allow-list.ts';
import { DEFAULT_PATH } from '../../process.ts';
import { resolveTexts, SecretError, type SecretResolver } from '../../secrets.ts';
import { obstacle, ready, type StepOf } from '../step-driver.ts';
import { asUser, UserFault } from './run-as-user.ts';

/** Whether the program is allowed, is there and can be executed, and its folder, user and secrets exist. */
export async function examineProgram(
  { allow, secrets }: { readonly allow: AllowList; readonly secrets: SecretResolver },
  step: StepOf<'run'>,
  signal: AbortSignal,
): Promise<Examination> {
  const [program = ''] = step.argv;
  const refused = allow.mayRun(program);
  if (refused !== undefined) return obstacle(refused);
  try {
    const env = await resolveTexts(step.env, secrets);
    const path = await findProgram(program, env['PATH'] ?? DEFAULT_PATH);
    if (path === undefined) return obstacle(`${program} is not there, or cannot be executed`);
    if (step.cwd !== undefined && !(await isFolder(step.cwd))) return obstacle(`${step.cwd} is not a folder`);
    if (step.user !== undefined) await asUser(step.user, step.argv, signal);
    return ready(`${path} can be executed`);
  } catch (error) {
    if (error instanceof SecretError || error instanceof UserFault) return obstacle(error.message);
    throw error;
  }
}

/** Where it can be executed; undefined if nowhere. `path` is a PATH. */
export async function findProgram(program: string, path: string): Promise<string | undefined> {
  const places = program.startsWith('/') ? [program] : path.split(':').map((folder) => join(folder, program));
  for (const place of places) if (await isExecutable(place)) return place;
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return false;
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
