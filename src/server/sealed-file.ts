import { Ajv2020, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Observation } from '../core/observation.ts';
import { digestOf } from '../policy/digest.ts';
import { readSchema } from '../policy/schema-files.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import type { ShownPlan } from './shown-plan.ts';

/** Plans and observations that are kept in files: of one form, one version, and as they were written. */
export type Sealed<T> = T & { readonly schemaVersion: number; readonly version: string; readonly digest: string };

/**
 * Why a saved file is not used: `form` is no such file, `schemaVersion` and `version` are another revertd's, `edited`
 * does not have the digest that it was written with.
 */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly code: 'form' | 'schemaVersion' | 'version' | 'edited';

  constructor(code: SealError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The digest finds a slip of the hand. It is no signature: who can write the file can compute another one. */
export function seal<T extends object>(content: T): T & { readonly digest: string } {
  return { ...content, digest: sealOf(content) };
}

const SCHEMAS = { plan: 'plan.schema.json', observation: 'observation.schema.json' } as const;
type Kinds = { readonly plan: Sealed<ShownPlan>; readonly observation: Sealed<Observation> };

/** @throws {SealError} */
export function unseal<K extends keyof Kinds>(kind: K, content: unknown, version: string): Kinds[K] {
  const found = headOf(content);
  const again = kind === 'plan' ? '`revertd plan --out FILE`' : '`revertd observe --out FILE`';
  if (found === undefined || typeof found.digest !== 'string') {
    throw new SealError('form', `it is no saved ${kind}; ${again} writes one`);
  }
  if (found.schemaVersion !== SCHEMA_VERSION) {
    const message = `it has schemaVersion ${String(found.schemaVersion)}, and this revertd knows ${SCHEMA_VERSION}; make it anew with ${again}`;
    throw new SealError('schemaVersion', message);
  }
  const { digest, ...rest } = found;
  if (digest !== sealOf(rest)) {
    throw new SealError(
      'edited',
      `it was changed after it was written: its digest does not fit. Make it anew with ${again}`,
    );
  }
  if (found.version !== version) {
    const message = `revertd ${String(found.version)} made it, and this is ${version}, which may decide otherwise; make it anew with ${again}`;
    throw new SealError('version', message);
  }
  const validate = validatorOf(kind);
  if (!validate(content)) throw new SealError('form', `it is no saved ${kind}: ${faultText(validate.errors)}`);
  return content as Kinds[K];
}

function sealOf(content: object): string {
  return `sha256:${digestOf(content)}`;
}

function headOf(content: unknown) {
  if (typeof content !== 'object' || content === null) return undefined;
  return content as { readonly schemaVersion?: unknown; readonly version?: unknown; readonly digest?: unknown };
}

const compiled = new Map<keyof Kinds, ValidateFunction>();

function validatorOf(kind: keyof Kinds): ValidateFunction {
  let validate = compiled.get(kind);
  if (validate === undefined) {
    const schema: AnySchemaObject = readSchema(SCHEMAS[kind]);
    validate = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema);
    compiled.set(kind, validate);
  }
  return validate;
}

function faultText(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  return first === undefined ? 'its form is another' : `${first.instancePath || 'the whole'} ${first.message ?? ''}`;
}
