import type { ValidateFunction } from 'ajv';
import type { PointPolicy, PointRules } from '../core/model/point-policy.ts';
import type { SecretRef } from '../core/model/secret-ref.ts';
import type { JsonValue } from '../core/model/step.ts';
import { type Millis, parseDuration } from '../core/units.ts';
import { collapseSchemaErrors } from './collapse-schema-errors.ts';
import { decode } from './decode.ts';
import { boundDiagnostics, type Diagnostic, errorAt } from './diagnostic.ts';
import { explainSchemaError } from './explain-schema-error.ts';
import { guideSettings } from './guide-settings.ts';
import { parseYaml } from './parse-yaml.ts';
import { originOfKey, originOfValue, type PolicyDocument } from './policy-document.ts';
import { type PostgresSettings, postgresSettings, type RawPostgres } from './postgres-settings.ts';
import { configValidator, readSchema } from './schema-files.ts';
import { type SettingType, settingValue } from './setting-value.ts';
import { parseSize } from './size-text.ts';

/** The host's own configuration, with its defaults. Paths are as they were written. */
export type HostConfig = {
  readonly source: {
    readonly url: string;
    readonly ref?: { readonly branch: string } | { readonly tag: string } | { readonly commit: string };
    readonly folder?: string;
    readonly watch?: 'git' | 'folder';
    readonly intervalMs: Millis;
  } | null;
  readonly host: {
    readonly name?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly variables: Readonly<Record<string, string>>;
  };
  readonly dataDir: string;
  readonly adopt: 'ask' | 'git';
  /** By role, the users and groups of this host that have it. */
  readonly roles: Readonly<Record<string, RoleHolders>>;
  readonly allow: {
    readonly paths?: readonly string[];
    readonly units?: readonly string[];
    readonly containers?: readonly string[];
    readonly commands?: readonly string[];
    readonly hosts?: readonly string[];
    readonly databases?: readonly string[];
  };
  readonly containers: { readonly socket?: string; readonly compose?: readonly string[] };
  readonly server: {
    readonly listen: string | null;
    readonly socket?: string;
    readonly tokens: readonly { readonly name: string; readonly role: Role; readonly token: SecretRef }[];
    /** Whose pages may ask for flags; `*` for all. */
    readonly cors: readonly string[];
    /** Of each who asks for flags; null for no limit. */
    readonly rateLimit: { readonly perSecond: number; readonly burst: number } | null;
  };
  readonly history: { readonly keepMs: Millis; readonly mostRows: number };
  readonly points: PointSettings;
  /** Null: the log is copied nowhere. */
  readonly postgres: PostgresSettings | null;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error' };
};

/** What a token is good for: flags; also reading; also setting flags; everything that the port does. */
export type Role = 'application' | 'viewer' | 'operator' | 'admin';

/** How content of points is stored, and how points live that belong to no policy. */
export type PointSettings = PointRules & {
  readonly persistence: boolean;
  readonly memoryBytes: number;
  readonly cache: { readonly maxItems: number; readonly ttlMs: Millis };
  readonly maxSnapshotBytes?: number;
  readonly key?: SecretRef;
  readonly formerKeys: readonly SecretRef[];
};

export type RoleHolders = { readonly users?: readonly string[]; readonly groups?: readonly string[] };

/** The file's own shape, as the schema has it. */
export type RawConfig = {
  readonly source?: {
    readonly url: string;
    readonly branch?: string;
    readonly tag?: string;
    readonly commit?: string;
    readonly folder?: string;
    readonly interval?: string;
    readonly watch?: 'git' | 'folder';
  };
  readonly host?: Partial<HostConfig['host']>;
  readonly dataDir?: string;
  readonly adopt?: 'ask' | 'git';
  readonly roles?: HostConfig['roles'];
  readonly allow?: HostConfig['allow'];
  readonly containers?: HostConfig['containers'];
  readonly server?: {
    readonly listen?: string;
    readonly socket?: string;
    readonly tokens?: HostConfig['server']['tokens'];
    readonly cors?: readonly string[];
    readonly rateLimit?: { readonly perSecond?: number; readonly burst?: number };
  };
  readonly history?: { readonly keep?: string; readonly maxRows?: number };
  readonly points?: RawPointSettings;
  readonly postgres?: RawPostgres;
  readonly log?: Partial<HostConfig['log']>;
};

type RawPointSettings = {
  readonly maxPoints?: number;
  readonly defaultTtl?: string;
  readonly autoCleanup?: boolean;
  readonly cleanupInterval?: string;
  readonly persistence?: boolean;
  readonly memoryLimit?: string;
  readonly cache?: { readonly maxItems?: number; readonly ttl?: string };
  readonly maxSnapshotSize?: string;
  readonly compression?: PointPolicy['compression'];
  readonly key?: SecretRef;
  readonly formerKeys?: readonly SecretRef[];
};

export type ConfigResult =
  | { readonly ok: true; readonly config: HostConfig }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

const DEFAULT_POLL_MS: Millis = 30_000;
const DEFAULT_HISTORY_KEEP_MS: Millis = 30 * 86_400_000;
const DEFAULT_HISTORY_ROWS = 4_000_000;
const DEFAULT_POINT_TTL_MS: Millis = 30 * 86_400_000;
const DEFAULT_MOST_POINTS = 1000;
const DEFAULT_POINT_MEMORY = '32MiB';
const DEFAULT_CACHED_PIECES = 1000;
const DEFAULT_CACHE_TTL_MS: Millis = 3_600_000;

/**
 * Reads the configuration file's bytes (none: all defaults) and lays the `REVERTD_…` variables of the environment over
 * it. Every fault of the file is reported with its place; one of a variable names the variable.
 */
export function loadHostConfig(
  file: { readonly path: string; readonly bytes: Uint8Array } | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigResult {
  const fromFile = file === undefined ? { ok: true as const, raw: {} } : readFile(file.path, file.bytes);
  if (!fromFile.ok) return fromFile;
  const { raw, diagnostics } = overlayEnvironment(fromFile.raw, environment);
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return { ok: true, config: withDefaults(raw, environment) };
}

type ReadResult =
  | { readonly ok: true; readonly raw: RawConfig }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

function readFile(path: string, bytes: Uint8Array): ReadResult {
  const decoded = decode({ path, bytes });
  if (!decoded.ok) return { ok: false, diagnostics: [decoded.diagnostic] };
  const parsed = parseYaml(path, decoded.text);
  const [document, second] = parsed.documents;
  const faults = [...parsed.diagnostics];
  if (second !== undefined) {
    const message = 'a configuration is one YAML document; this is a second one';
    faults.push(errorAt(originOfValue(second, []), 'E-CONFIG-DOCUMENTS', message));
  }
  if (document === undefined) return faults.length === 0 ? { ok: true, raw: {} } : { ok: false, diagnostics: faults };
  const raw = validated(document, faults);
  return raw === undefined ? { ok: false, diagnostics: boundDiagnostics(faults).diagnostics } : { ok: true, raw };
}

function validated(document: PolicyDocument, faults: Diagnostic[]): RawConfig | undefined {
  const validate: ValidateFunction<RawConfig> = configValidator();
  const value: unknown = document.value;
  const valid = validate(value);
  for (const error of collapseSchemaErrors(validate.errors ?? [])) {
    const { place, code, ...wording } = explainSchemaError(error);
    const origin = place.side === 'key' ? originOfKey(document, place.path) : originOfValue(document, place.path);
    faults.push(errorAt(origin, code, wording));
  }
  if (!valid || faults.some((fault) => fault.severity === 'error')) return undefined;
  const { branch, tag, commit } = value.source ?? {};
  if ([branch, tag, commit].filter((ref) => ref !== undefined).length > 1) {
    const message = 'a source follows one of `branch`, `tag` and `commit`; leave one of them';
    faults.push(errorAt(originOfKey(document, ['source']), 'E-CONFIG-REF', message));
    return undefined;
  }
  return value;
}

type Setting = { readonly path: readonly string[]; readonly type: SettingType };

/** The scalars and lists of the schema, which are also environment variables. */
export function configSettings(): readonly Setting[] {
  return settingsOf(readSchema('config.schema.json'), []);
}

function settingsOf(schema: JsonObject, path: readonly string[]): Setting[] {
  const properties = schema['properties'];
  if (!isObject(properties)) {
    const type = settingType(schema);
    return type === undefined ? [] : [{ path, type }];
  }
  return Object.entries(properties).flatMap(([key, child]) =>
    isObject(child) ? settingsOf(child, [...path, key]) : [],
  );
}

/** Undefined for what one text cannot say. */
function settingType({ type, $ref }: JsonObject): Setting['type'] | undefined {
  if ($ref === '#/$defs/texts') return 'list';
  if (type === 'object' || type === 'array' || $ref === 'common.schema.json#/$defs/secretRef') return undefined;
  return type === 'integer' ? 'number' : type === 'boolean' ? 'truth' : 'text';
}

export function environmentName(path: readonly string[]): string {
  return `REVERTD_${path.map((part) => part.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`;
}

function overlayEnvironment(
  raw: RawConfig,
  environment: Readonly<Record<string, string | undefined>>,
): { raw: RawConfig; diagnostics: Diagnostic[] } {
  const merged: JsonObject = structuredClone(raw) as JsonObject;
  let changed = false;
  const names = new Map<string, string>();
  for (const { path, type } of configSettings()) {
    const found = settingIn(environment, path, type);
    if (found === undefined) continue;
    changed = true;
    names.set(path.join('.'), found.name);
    setAt(merged, path, found.value);
  }
  if (!changed) return { raw, diagnostics: [] };
  const validate = configValidator();
  const value: unknown = merged;
  if (validate(value)) return { raw: value, diagnostics: [] };
  const diagnostics = collapseSchemaErrors(validate.errors ?? []).map((error) => {
    const { place, code, message } = explainSchemaError(error);
    const path = place.path.map(String);
    const origin = { file: names.get(path.join('.')) ?? environmentName(path), line: 1, column: 1 };
    return errorAt(origin, code, message);
  });
  return { raw, diagnostics };
}

/** revertd's own name goes before the one of the operator guide. */
function settingIn(
  environment: Readonly<Record<string, string | undefined>>,
  path: readonly string[],
  type: SettingType,
): { readonly name: string; readonly value: JsonValue } | undefined {
  const own = environment[environmentName(path)] ?? '';
  if (own !== '') return { name: environmentName(path), value: settingValue(type, own) };
  const guide = guideSettings[path.join('.')];
  const text = guide === undefined ? '' : (environment[guide.name] ?? '');
  return guide === undefined || text === '' ? undefined : { name: guide.name, value: guide.read(text) };
}

function withDefaults(raw: RawConfig, environment: Readonly<Record<string, string | undefined>>): HostConfig {
  const { source, host, server, log } = raw;
  return {
    source: source === undefined ? null : sourceOf(source),
    host: {
      ...(host?.name === undefined ? {} : { name: host.name }),
      labels: host?.labels ?? {},
      variables: host?.variables ?? {},
    },
    dataDir: raw.dataDir ?? '/var/lib/revertd',
    adopt: raw.adopt ?? 'ask',
    roles: raw.roles ?? {},
    allow: raw.allow ?? {},
    containers: raw.containers ?? {},
    server: {
      listen: server?.listen === 'off' ? null : (server?.listen ?? '127.0.0.1:7433'),
      ...(server?.socket === undefined ? {} : { socket: server.socket }),
      tokens: server?.tokens ?? [],
      cors: server?.cors ?? [],
      rateLimit: rateLimitOf(server?.rateLimit),
    },
    history: {
      keepMs: durationOr(raw.history?.keep, DEFAULT_HISTORY_KEEP_MS),
      mostRows: raw.history?.maxRows ?? DEFAULT_HISTORY_ROWS,
    },
    points: pointSettingsOf(raw.points ?? {}),
    postgres: postgresSettings(raw.postgres, environment),
    log: { level: log?.level ?? 'info' },
  };
}

/** Without a burst of its own, as many at once as in a second. */
function rateLimitOf(raw: NonNullable<RawConfig['server']>['rateLimit']): HostConfig['server']['rateLimit'] {
  const perSecond = raw?.perSecond;
  return perSecond === undefined ? null : { perSecond, burst: raw?.burst ?? Math.max(1, perSecond) };
}

function sourceOf(raw: NonNullable<RawConfig['source']>): NonNullable<HostConfig['source']> {
  const { url, branch, tag, commit, folder, watch } = raw;
  return {
    url,
    ...(branch === undefined ? {} : { ref: { branch } }),
    ...(tag === undefined ? {} : { ref: { tag } }),
    ...(commit === undefined ? {} : { ref: { commit } }),
    ...(folder === undefined ? {} : { folder }),
    ...(watch === undefined ? {} : { watch }),
    intervalMs: durationOr(raw.interval, DEFAULT_POLL_MS),
  };
}

function pointSettingsOf(raw: RawPointSettings): PointSettings {
  const { maxSnapshotSize, cleanupInterval, key } = raw;
  const maxSnapshotBytes = maxSnapshotSize === undefined ? undefined : parseSize(maxSnapshotSize);
  return {
    maxPoints: raw.maxPoints ?? DEFAULT_MOST_POINTS,
    ttlMs: durationOr(raw.defaultTtl, DEFAULT_POINT_TTL_MS),
    prunesItself: raw.autoCleanup ?? true,
    pruneEveryMs: durationOr(cleanupInterval, 0),
    persistence: raw.persistence ?? true,
    memoryBytes: parseSize(raw.memoryLimit ?? DEFAULT_POINT_MEMORY) ?? 0,
    cache: {
      maxItems: raw.cache?.maxItems ?? DEFAULT_CACHED_PIECES,
      ttlMs: durationOr(raw.cache?.ttl, DEFAULT_CACHE_TTL_MS),
    },
    ...(maxSnapshotBytes === undefined ? {} : { maxSnapshotBytes }),
    compression: raw.compression ?? 'zstd',
    ...(key === undefined ? {} : { key }),
    formerKeys: raw.formerKeys ?? [],
  };
}

/** The schema has seen to it that a duration is one. */
function durationOr(text: string | undefined, usual: Millis): Millis {
  return (text === undefined ? undefined : parseDuration(text)) ?? usual;
}

type JsonObject = { [key: string]: JsonValue | JsonObject | undefined };

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function setAt(target: JsonObject, path: readonly string[], value: JsonValue): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) {
    target[key] = value;
    return;
  }
  const child = target[key];
  const object: JsonObject = isObject(child) ? child : {};
  target[key] = object;
  setAt(object, rest, value);
}
