import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Examination } from '../../core/model/drill.ts';
import { type CapturedTarget, pathOf, type Target } from '../../core/model/target.ts';
import type { AllowList } from '../allow-list.ts';
import { obstacle, ready, unsure } from '../steps/step-driver.ts';
import type { CapturedDriver, Rehearsed } from './captured-target.ts';
import { checkRehearsed, type Relocation } from './relocated-check.ts';
import type { RehearsalContext, TargetOrder } from './target-driver.ts';

/** Whether a restore from a point could begin: the point holds the target, and revertd may write where it lives. */
export function examineCaptured(allow: AllowList, { target, to, snapshot }: TargetOrder): Examination {
  if (snapshot === undefined) return obstacle(`${to} holds nothing of ${target.name}`);
  const paths = writtenPaths(target);
  const refused = paths.map((path) => allow.mayWrite(path)).find((reason) => reason !== undefined);
  return refused === undefined ? ready(`${to} holds ${snapshot.bytes} bytes of ${target.name}`) : obstacle(refused);
}

/** What is on a server is no file of this host. */
function writtenPaths(target: Target): readonly string[] {
  if (target.type.kind === 'postgres') return [];
  return target.type.kind === 'files' ? target.type.paths : [pathOf(target)];
}

/**
 * Restores the point's content into the rehearsal's folder, and has the target's checks that ask its files ask those
 * there; others would ask what is live.
 */
export async function rehearseCaptured(
  { target, to, snapshot }: TargetOrder & { readonly target: CapturedTarget },
  points: CapturedDriver,
  { folder, store, signal, ask, progress = () => undefined }: RehearsalContext,
): Promise<Examination> {
  if (snapshot === undefined || store === undefined) return unsure(`${to} holds nothing of ${target.name}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const restored = await points.rehearse(target, snapshot, folder, { signal, store, progress });
  if (signal.aborted) return unsure(restored.detail);
  if (restored.outcome === 'failed') return obstacle(restored.detail);
  const made = `${to} was restored beside the live system: ${restored.detail}`;
  try {
    return await checkRehearsed(target.checks, relocations(target, restored), made, ask);
  } finally {
    await restored.end?.();
  }
}

function relocations(target: CapturedTarget, { path, database }: Rehearsed): readonly Relocation[] {
  switch (target.type.kind) {
    case 'sqlite':
      return [{ live: target.type.path, scratch: path }];
    case 'postgres':
      return database === undefined ? [] : [{ database: target.type.database, scratch: database }];
    case 'files':
      return target.type.paths.map((live, index) => ({ live, scratch: join(path, String(index)) }));
  }
}
