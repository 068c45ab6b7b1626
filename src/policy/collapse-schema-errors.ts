import type { ErrorObject } from 'ajv';
import { nearestName } from '../core/nearest-name.ts';
import { meantByForeignKey } from './foreign-words.ts';
import { exactlyOneOf } from './schema-files.ts';
import { isAlternativeToCome, isKeyToCome } from './unsupported.ts';

/** An ajv error with `verbose` on, so that it carries the schema's object and the value. */
export type SchemaError = ErrorObject;

/** Many errors of a schema are echoes of one mistake; what is left is one error per mistake. */
export function collapseSchemaErrors(errors: readonly SchemaError[]): readonly SchemaError[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf');
  let kept = errors.filter((error) => error.keyword !== 'propertyNames' && !isBranchOfExactlyOne(error));
  for (const union of unions) kept = collapseUnion(kept, union);
  const unknown = kept.filter(({ keyword }) => keyword === 'additionalProperties');
  return kept.filter((error) => !isEchoOfType(error, kept) && !isEchoOfUnknownKey(error, unknown));
}

/** `oneOf` is used for nothing but "exactly one of these keys"; it speaks for all of them. */
function isBranchOfExactlyOne({ keyword, schemaPath }: SchemaError): boolean {
  return keyword === 'required' && /\/oneOf\/\d+\/required$/.test(schemaPath);
}

/** Of a union's branches only those speak that the value could have meant; if there is none, the union does. */
function collapseUnion(errors: readonly SchemaError[], union: SchemaError): SchemaError[] {
  const within = errors.filter((error) => error !== union && isWithin(error.instancePath, union.instancePath));
  const meant = within.filter((error) => speaksOf(error, union));
  const dropped = new Set(meant.length === 0 ? within : [union, ...within.filter((error) => !meant.includes(error))]);
  return errors.filter((error) => !dropped.has(error));
}

function speaksOf(error: SchemaError, union: SchemaError): boolean {
  if (error.instancePath !== union.instancePath) return true;
  switch (error.keyword) {
    case 'type':
    case 'enum':
    case 'const':
    case 'anyOf':
      return false;
    case 'additionalProperties':
    case 'required':
    case 'oneOf':
      return typeof union.data === 'object';
    default:
      return true;
  }
}

function isWithin(path: string, container: string): boolean {
  return path === container || path.startsWith(`${container}/`);
}

/** A value of the wrong type fails everything else that is asked of it, too. */
function isEchoOfType(error: SchemaError, all: readonly SchemaError[]): boolean {
  return (
    error.keyword !== 'type' &&
    all.some((other) => other.keyword === 'type' && other.instancePath === error.instancePath)
  );
}

/** A misspelled or foreign key is unknown, and what was meant is missing: one mistake. */
function isEchoOfUnknownKey(error: SchemaError, unknown: readonly SchemaError[]): boolean {
  const here = unknown.filter(({ instancePath }) => instancePath === error.instancePath);
  if (error.keyword === 'required') {
    const missing = [String(error.params['missingProperty'])];
    return here.some(
      (other) => meantKey(other, missing) !== undefined || isAlternativeToCome(titleOf(other), unknownKey(other)),
    );
  }
  if (error.keyword !== 'oneOf' || error.params['passingSchemas'] !== null) return false;
  const wanted = exactlyOneOf(error.parentSchema ?? {});
  const nothingElse = here.length === Object.keys(error.data ?? {}).length;
  return here.some((other) => nothingElse || isToCome(other) || meantKey(other, wanted) !== undefined);
}

function meantKey(unknown: SchemaError, candidates: readonly string[]): string | undefined {
  const foreign = meantByForeignKey(titleOf(unknown), unknownKey(unknown))?.key;
  return candidates.find((candidate) => candidate === foreign) ?? nearestName(unknownKey(unknown), candidates);
}

export function unknownKey(error: SchemaError): string {
  return String(error.params['additionalProperty']);
}

export function isToCome(error: SchemaError): boolean {
  return isKeyToCome(titleOf(error), unknownKey(error));
}

/** The title of the schema's object that the error comes from; the tables of words are keyed by it. */
export function titleOf(error: SchemaError): string {
  const title: unknown = error.parentSchema?.['title'];
  return typeof title === 'string' ? title : '';
}
