import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isMap, isSeq, parseAllDocuments } from 'yaml';

export const PACKS = join(import.meta.dirname, '../../../policies');

type PolicyDocument = Document.Parsed;
export type Change = (document: PolicyDocument) => PolicyDocument | null;

/** A copy of a pack in which the one RollbackPolicy is changed, or gone where the change gives null. */
export function mutatePack(pack: string, file: string, policy: string, into: string, change: Change): string {
  return mutatePolicies(pack, { [policy]: file }, into, change);
}

/** The same with several policies, each in its file. */
export function mutatePolicies(
  pack: string,
  policies: Readonly<Record<string, string>>,
  into: string,
  change: Change,
): string {
  cpSync(join(PACKS, pack), into, { recursive: true });
  for (const [policy, file] of Object.entries(policies)) mutate(join(into, file), policy, change);
  if (change === deleted) dropDrills(into, Object.keys(policies));
  return into;
}

/** A ladder that is gone cannot be rehearsed. */
function dropDrills(folder: string, policies: readonly string[]): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.yaml') || name.endsWith('.draft.yaml')) continue;
    const documents = Array.from(parseAllDocuments(readFileSync(join(folder, name), 'utf8')));
    const kept = documents.filter(
      (document) => document.get('kind') !== 'Drill' || !policies.includes(String(document.getIn(['spec', 'policy']))),
    );
    if (kept.length === documents.length) continue;
    if (kept.length === 0) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), kept.map(String).join('---\n'));
  }
}

function mutate(path: string, policy: string, change: Change): void {
  const text = readFileSync(path, 'utf8');
  const after = Array.from(parseAllDocuments(text), (document) =>
    isPolicy(document, policy) ? change(document) : document,
  );
  const changed = after
    .filter((document) => document !== null)
    .map(String)
    .join('---\n');
  if (changed === text) throw new Error(`the mutation changes nothing of the policy ${policy} in ${path}`);
  writeFileSync(path, changed);
}

function isPolicy(document: PolicyDocument, name: string): boolean {
  return (
    ['RollbackPolicy', 'PointPolicy', 'Drill'].includes(String(document.get('kind'))) &&
    document.getIn(['metadata', 'name']) === name
  );
}

export const deleted: Change = () => null;

/**
 * Every trigger on the other side of its threshold: `above` for `below`, and the other way round. A count of events is 0
 * until it was looked at twice, which only a trigger without `for` would take for few.
 */
export const inverted: Change = (document) => {
  const triggers = document.getIn(['spec', 'triggers']);
  if (!isSeq(triggers)) throw new Error('the policy has no triggers');
  for (const trigger of triggers.items) {
    if (!isMap(trigger)) throw new Error('a trigger is a mapping');
    const side = trigger.has('above') ? 'above' : 'below';
    const threshold: unknown = trigger.get(side);
    if (isMap(threshold)) threshold.set('baseline', 1 / Number(threshold.get('baseline')));
    trigger.delete(side);
    trigger.set(side === 'above' ? 'below' : 'above', threshold);
    trigger.delete('clear');
    if (!trigger.has('for')) trigger.set('for', '15s');
  }
  return document;
};

/** Inverted, and without the other triggers. */
export function invertedAmong(isKept: (trigger: string) => boolean): Change {
  return (document) => {
    const triggers = document.getIn(['spec', 'triggers']);
    if (!isSeq(triggers)) throw new Error('the policy has no triggers');
    triggers.items = triggers.items.filter((trigger) => isMap(trigger) && isKept(String(trigger.get('name'))));
    return inverted(document);
  };
}

/** Every `query` check of every rung on the other side of its threshold. */
export const checksInverted: Change = (document) => {
  eachQueryCheck(document, (query) => {
    const side = query.has('above') ? 'above' : 'below';
    const threshold: unknown = query.get(side);
    query.delete(side);
    query.set(side === 'above' ? 'below' : 'above', threshold);
    return true;
  });
  return document;
};

/** No `query` check is left. */
export const checksDeleted: Change = (document) => {
  eachQueryCheck(document, () => false);
  return document;
};

type QueryMap = {
  has: (key: string) => boolean;
  get: (key: string) => unknown;
  set: (key: string, value: unknown) => void;
  delete: (key: string) => boolean;
};

function eachQueryCheck(document: PolicyDocument, keep: (query: QueryMap) => boolean): void {
  const ladder = document.getIn(['spec', 'ladder']);
  for (const rung of isSeq(ladder) ? ladder.items : []) {
    const checks = isMap(rung) ? rung.getIn(['verify', 'checks']) : undefined;
    if (!isSeq(checks)) continue;
    checks.items = checks.items.filter((check) => {
      const query = isMap(check) ? check.get('query') : undefined;
      return isMap(query) ? keep(query) : true;
    });
  }
}
