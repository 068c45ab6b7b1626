import type { CheckThreshold } from '../model/check.ts';
import { formatCheckThreshold } from '../model/describe-check.ts';
import { type DocumentRef, documentKey } from '../model/flag.ts';
import type { Origin } from '../model/origin.ts';
import { describeStep, type Step } from '../model/step.ts';
import type { BaselineThreshold } from '../model/trigger.ts';
import { formatDuration } from '../units.ts';

/** A field as people read it, and the nearest place in git that says it. */
export type Field = { readonly text: string; readonly origin: Origin };

/** Derived from other fields, or only where something stands; a change of them alone is none. */
const PASSED_OVER = new Set(['origin', 'digest', 'name', 'key', 'windowMs', 'watchesAbsence']);

/** What `describeStep` says already. */
const IN_DESCRIPTION: Readonly<Record<Step['kind'], readonly string[]>> = {
  setFlag: ['flag', 'to'],
  restore: ['target', 'to', 'paths', 'rows', 'merge'],
  createPoint: ['policy', 'until'],
  service: ['service', 'do'],
  container: ['on', 'do'],
  http: ['method', 'url'],
  run: ['argv', 'user'],
  sql: ['database'],
  editFile: ['path'],
  gitCommit: ['repository', 'branch'],
  notify: ['to', 'text'],
  waitFor: [],
};

/** Every field of a policy object by its path: `for`, `do[0].timeout`, `variants.on`. */
export function fieldsOf(object: object, origin: Origin): Map<string, Field> {
  const fields = new Map<string, Field>();
  walk(object, '', origin);
  return fields;

  function walk(value: unknown, path: string, origin: Origin): void {
    const text = leafText(value, path);
    if (text !== null) fields.set(path.replace(/Ms$/, ''), { text, origin });
    else if (Array.isArray(value)) value.forEach((item, index) => walk(item, `${path}[${index}]`, origin));
    else if (typeof value === 'object' && value !== null) walkObject(value, path, originIn(value) ?? origin);
  }

  function walkObject(value: object, path: string, origin: Origin): void {
    const step = asStep(value);
    if (step !== null) fields.set(path, { text: describeStep(step), origin });
    const said = step === null ? [] : ['kind', ...IN_DESCRIPTION[step.kind]];
    for (const [key, item] of Object.entries(value)) {
      if (!PASSED_OVER.has(key) && !said.includes(key)) walk(item, path === '' ? key : `${path}.${key}`, origin);
    }
  }
}

/** The text of what is shown in one piece; null for what is looked into. */
function leafText(value: unknown, path: string): string | null {
  if (typeof value === 'number' && path.endsWith('Ms')) return formatDuration(value);
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    return value.length > 0 && value.every((item) => typeof item !== 'object') ? JSON.stringify(value) : null;
  }
  if (/(?:^|\.)threshold$/.test(path)) return formatCheckThreshold(value as CheckThreshold | BaselineThreshold);
  if (/(?:^|\.)document$/.test(path)) return documentKey(value as DocumentRef);
  return null;
}

function originIn(value: object): Origin | undefined {
  return 'origin' in value ? (value.origin as Origin) : undefined;
}

/** Checks have the same words for kinds, and a key. */
function asStep(value: object): Step | null {
  const isStep = 'kind' in value && 'origin' in value && 'timeoutMs' in value && !('key' in value);
  return isStep && Object.hasOwn(IN_DESCRIPTION, String(value.kind)) ? (value as Step) : null;
}
