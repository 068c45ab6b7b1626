import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Examination } from '../../core/model/drill.ts';
import type { Target, TargetType } from '../../core/model/target.ts';
import type { AllowList } from '../allow-list.ts';
import { obstacle, ready, unsure } from '../steps/step-driver.ts';
import type { CapturedDriver, Rehearsed } from './captured-target.ts';
import { checkRehearsed, type Relocation } from './relocated-check.ts';
import type { RehearsalContext, TargetOrder } from './target-driver.ts';

/** Whether a restore from a point could begin: the point holds the target, and revertd may write where it lives. */
export function examineCaptured(allow: AllowList, { target, to, snapshot }: TargetOrder): Examination {
  if (snapshot === undefined) return obstacle(`${to} holds nothing of ${target.name}`);
  const refused = refusalOf(allow, target.type);
  return refused === undefined ? ready(`${to} holds ${snapshot.bytes} bytes of ${target.name}`) : obstacle(refused);
}

/** Why a target is not written on this host; undefined if it may be. What is on a server is no file of this host. */
function refusalOf(allow: AllowList, type: TargetType): string | undefined {
  switch (type.kind) {
    case 'files':
      return type.paths.map((path) => allow.mayWrite(path)).find((reason) => reason !== undefined);
    case 'git':
    case 'sqlite':
      return allow.mayWrite(type.path);
    case 'rows':
      return type.database.kind === 'sqlite' ? allow.mayWrite(type.database.path) : undefined;
    case 'postgres':
    case 'flags':
      return undefined;
    case 'http':
      return allow.mayCall(type.url);
    case 'command':
      return allow.mayRun(type.restore[0] ?? '');
  }
}

/**
 * Restores the point's content into the rehearsal's folder, and has the target's checks that ask its files ask those
 * there; others would ask what is live.
 */
export async function rehearseCaptured(
  { target, to, snapshot }: TargetOrder & { readonly target: Target },
  points: CapturedDriver,
  { folder, store, signal, ask, progress = () => undefined }: RehearsalContext,
): Promise<Examination> {
  if (snapshot === undefined || store === undefined) return unsure(`${to} holds nothing of ${target.name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const restored = await points.rehearse(target, snapshot, folder, { signal, store, progress });
  if (signal.aborted) return unsure(restored.detail);
  if (restored.outcome === 'failed') return obstacle(restored.detail);
  return await checkRestored(target, restored, `${to} was restored beside the live system: ${restored.detail}`, ask);
}

/** Has the target's checks that ask its own content ask what was restored beside it, which goes afterwards. */
export async function checkRestored(
  target: Target,
  restored: Rehearsed,
  made: string,
  ask: RehearsalContext['ask'],
): Promise<Examination> {
  try {
    return await checkRehearsed(target.checks, relocations(target, restored), made, ask);
  } finally {
    await restored.end?.();
  }
}

function relocations(target: Target, { path, database }: Rehearsed): readonly Relocation[] {
  switch (target.type.kind) {
    case 'sqlite':
      return [{ live: target.type.path, scratch: path }];
    case 'postgres':
      return database === undefined ? [] : [{ database: target.type.database, scratch: database }];
    case 'files':
      return target.type.paths.map((live, index) => ({ live, scratch: join(path, String(index)) }));
    case 'git':
    case 'http':
    case 'command':
    case 'flags':
    case 'rows':
      return [];
  }
}
