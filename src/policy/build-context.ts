import type { PlaceKey } from '../core/model/flag.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import type { Origin } from '../core/model/origin.ts';
import type { JsonValue } from '../core/model/step.ts';
import { type Millis, parseDuration } from '../core/units.ts';
import type { Allow } from './allow.ts';
import type { Decoded } from './decode.ts';
import { type Diagnostic, errorAt, type Wording, warningAt } from './diagnostic.ts';
import { explainDuration } from './duration-text.ts';
import { hasVariable, type Lookup } from './host-variables.ts';
import type { Kind } from './kinds.ts';
import type { Path } from './path.ts';
import { originOfKey, originOfValue, type PolicyDocument } from './policy-document.ts';

/** A name that must exist elsewhere. Judged when all documents are known. */
export type Reference = {
  readonly kind: Kind;
  readonly name: string;
  readonly origin: Origin;
  /** Of a flag: the variant that must exist, and where it is named; `safe` asks for a safeVariant. */
  readonly variant?: { readonly name: string; readonly origin: Origin } | 'safe';
  /** Of a policy: the rungs that its ladder must have, and where they are named. */
  readonly rungs?: readonly { readonly name: string; readonly origin: Origin }[];
  /** Of a source: the type that it must have. */
  readonly sourceType?: MetricSource['type']['kind'];
  /** Of a target: what is to be done with it, which not every type can. */
  readonly use?: { readonly restoreTo: string; readonly parts: readonly NamedPart[]; readonly merges?: true };
  /** Of a target: what it must have. */
  readonly needs?: 'check' | 'database' | 'tables';
};

/** A part of a target that is to be restored alone; what names one depends on the type of the target. */
export type NamedPart = { readonly text: string; readonly origin: Origin };

/** A place that a flag writes, and the hosts that it is for. */
export type PlaceUse = {
  readonly key: PlaceKey;
  readonly flag: string;
  readonly origin: Origin;
  readonly hostLabels: readonly Readonly<Record<string, string>>[];
};

/** A span that should not be shorter than the sampling interval of what is queried. */
export type SamplingUse = {
  readonly what: 'for' | 'window';
  readonly spanMs: Millis;
  readonly origin: Origin;
  /** The `job` labels that the query names; empty if it names none. */
  readonly jobs: readonly string[];
};

/** What building one document needs to know and leaves behind. */
export type BuildContext = {
  readonly document: PolicyDocument;
  readonly host: { readonly lookup: Lookup; readonly names: readonly string[] } | undefined;
  readonly allow: Allow;
  /** The roles that somebody has on this host; undefined where no host is known. */
  readonly roles?: readonly string[];
  /** The texts of the policy folder that notifiers may name, by path. */
  readonly templates: ReadonlyMap<string, Decoded>;
  /** What targeting may refer to, of all flags of the revision. */
  readonly evaluators: Readonly<Record<string, JsonValue>>;
  readonly diagnostics: Diagnostic[];
  readonly references: Reference[];
  readonly places: PlaceUse[];
  readonly samplings: SamplingUse[];
};

export function valueOrigin(context: BuildContext, path: Path): Origin {
  return originOfValue(context.document, path);
}

export function fault(context: BuildContext, path: Path, code: string, wording: Wording | string): void {
  context.diagnostics.push(errorAt(originOfValue(context.document, path), code, wording));
}

export function faultAtKey(context: BuildContext, path: Path, code: string, wording: Wording | string): void {
  context.diagnostics.push(errorAt(originOfKey(context.document, path), code, wording));
}

export function doubt(context: BuildContext, path: Path, code: string, wording: Wording | string): void {
  context.diagnostics.push(warningAt(originOfValue(context.document, path), code, wording));
}

/**
 * A duration in ms. The fallback stands in for one that is absent, faulty, or only known on the host; `least` is the
 * shortest that makes sense.
 */
export function durationAt(
  context: BuildContext,
  path: Path,
  text: string | undefined,
  fallbackMs: Millis,
  least: { readonly ms: Millis; readonly text: string } = { ms: 0, text: '0s' },
): Millis {
  if (text === undefined || hasVariable(text)) return fallbackMs;
  const spanMs = parseDuration(text);
  const key = String(path.at(-1));
  if (spanMs === undefined) {
    fault(context, path, 'E-UNIT', explainDuration(key, text));
    return fallbackMs;
  }
  if (spanMs < least.ms) {
    const message = `\`${key}\` must be at least ${least.text}; found ${text}`;
    fault(context, path, 'E-RANGE', { message, found: text, expected: `at least ${least.text}` });
    return fallbackMs;
  }
  return spanMs;
}

/** A deadline must leave time for something to happen. */
export const SHORTEST_TIMEOUT = { ms: 1, text: '1ms' } as const;

/** A path after its variables were filled in: absolute, without `..`, and allowed. */
export function pathAt(context: BuildContext, path: Path, text: string, use: 'read' | 'write'): string {
  if (hasVariable(text)) return text;
  if (!text.startsWith('/')) {
    const [list, last] = [path.at(-2), path.at(-1)];
    fault(context, path, 'E-PATH', {
      message: `\`${typeof last === 'number' ? `${list}[${last}]` : last}\` is not an absolute path: found "${text}"`,
      found: text,
    });
  } else if (text.split('/').includes('..') || text.includes('\0')) {
    const message = `\`${path.at(-1)}\` must not contain \`..\`: found "${text}"`;
    fault(context, path, 'E-PATH', { message, found: text });
  } else if (text.endsWith('/') && use === 'write') {
    fault(context, path, 'E-PATH', {
      message: `\`${path.at(-1)}\` names a folder, expected a file: "${text}"`,
      found: text,
    });
  } else {
    refuseUnless(context, path, context.allow.path?.(text, use));
  }
  return text;
}

/** A path within another folder, after its variables were filled in: relative, and without `..`. */
export function within(context: BuildContext, path: Path, text: string): string {
  if (hasVariable(text)) return text;
  if (!isWithin(text)) {
    const message = `"${text}" is not a path within the target; it must be relative, and must not contain \`..\``;
    fault(context, path, 'E-PATH', { message, found: text });
  }
  return text;
}

/** Whether a path is relative, and leads out of no folder. */
export function isWithin(text: string): boolean {
  return !text.startsWith('/') && !text.split('/').includes('..') && !text.includes('\0');
}

/** An http or https address without a password in it, and allowed. */
export function urlAt(context: BuildContext, path: Path, text: string): string {
  if (hasVariable(text)) return text;
  const url = URL.parse(text);
  const key = String(path.at(-1));
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    fault(context, path, 'E-URL', {
      message: `\`${key}\` is not an http or https address: found "${text}"`,
      found: text,
    });
  } else if (url.username !== '' || url.password !== '') {
    const message = `\`${key}\` has a user name or password in it; name the secret in a header or in auth instead`;
    fault(context, path, 'E-SECRET', message);
  } else {
    refuseUnless(context, path, context.allow.url?.(text));
  }
  return text;
}

const UNIT_NAME = /^[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|path|mount|slice|scope)$/;

/** A systemd unit's name with its suffix, and allowed. */
export function unitAt(context: BuildContext, path: Path, text: string): string {
  if (hasVariable(text)) return text;
  if (UNIT_NAME.test(text)) refuseUnless(context, path, context.allow.unit?.(text));
  else {
    const message = `\`${path.at(-1)}\` is not a systemd unit with its suffix: found "${text}"`;
    fault(context, path, 'E-UNIT-NAME', { message, found: text, suggestion: `${text}.service` });
  }
  return text;
}

/** A container's name: what Docker and podman take for one. */
export const CONTAINER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** A container's name, allowed. */
export function containerAt(context: BuildContext, path: Path, text: string): string {
  if (hasVariable(text)) return text;
  if (CONTAINER_NAME.test(text)) refuseUnless(context, path, context.allow.container?.(text));
  else nameFault(context, path, text, 'a container');
  return text;
}

/** A name that goes to compose as an argument, and so must not look like an option. */
export function composeNameAt(context: BuildContext, path: Path, text: string, what: string): string {
  if (!hasVariable(text) && !CONTAINER_NAME.test(text)) nameFault(context, path, text, what);
  return text;
}

function nameFault(context: BuildContext, path: Path, text: string, what: string): void {
  const message = `"${text}" is not the name of ${what}: letters, digits, and inside of it . _ -`;
  fault(context, path, 'E-NAME', { message, found: text });
}

/** A program and its arguments, allowed. The program is found by its path, or on the daemon's PATH. */
export function argvAt(context: BuildContext, path: Path, argv: readonly string[]): readonly string[] {
  const [program = ''] = argv;
  if (program.trim() === '') {
    fault(context, [...path, 0], 'E-ARGV', 'the program is empty; the first item names what is run');
  } else if (argv.length === 1 && /\s/.test(program) && !program.startsWith('/')) {
    const message = `"${program}" is one program name with spaces in it; there is no shell: write each argument as its own item`;
    fault(context, [...path, 0], 'E-ARGV', { message, suggestion: `[${program.split(/\s+/).join(', ')}]` });
  } else if (!hasVariable(program)) {
    refuseUnless(context, path, context.allow.command?.(argv));
  }
  return argv;
}

export function refuseUnless(context: BuildContext, path: Path, reason: string | undefined): void {
  if (reason !== undefined) fault(context, path, 'E-NOT-ALLOWED', `not allowed on this host: ${reason}`);
}
