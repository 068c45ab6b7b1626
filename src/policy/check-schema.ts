import type { ValidateFunction } from 'ajv/dist/2020.js';
import { collapseSchemaErrors, type SchemaError } from './collapse-schema-errors.ts';
import { type Diagnostic, errorAt } from './diagnostic.ts';
import { explainSchemaError } from './explain-schema-error.ts';
import type { Kind } from './kinds.ts';
import { type Path, pathOfPointer } from './path.ts';
import { originOfKey, originOfValue, type PolicyDocument } from './policy-document.ts';
import type { RawDocuments } from './raw-documents.ts';
import { validatorOf } from './schema-files.ts';

export type Checked<Raw> =
  | { readonly ok: true; readonly raw: Raw }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Holds a document against its kind's schema. A document with spoilt places is never ok, even if nothing is added. */
export function checkSchema<K extends Kind>(document: PolicyDocument, kind: K): Checked<RawDocuments[K]> {
  return checkAgainst(document, validatorOf(kind));
}

/** The same for a schema that is no policy's. */
export function checkAgainst<Raw>(document: PolicyDocument, validate: ValidateFunction<Raw>): Checked<Raw> {
  const value: unknown = document.value;
  const valid = validate(value);
  if (valid && document.spoilt.length === 0) return { ok: true, raw: value };
  const errors = (validate.errors ?? []).filter((error) => !isOfHead(error) && !isSpoilt(document.spoilt, error));
  const diagnostics = collapseSchemaErrors(errors).map((error) => toDiagnostic(document, error));
  return { ok: false, diagnostics };
}

/** apiVersion and kind were judged before the schema was chosen. */
function isOfHead(error: SchemaError): boolean {
  if (error.instancePath === '/apiVersion' || error.instancePath === '/kind') return true;
  return error.instancePath === '' && ['apiVersion', 'kind'].includes(String(error.params['missingProperty']));
}

function isSpoilt(spoilt: readonly Path[], error: SchemaError): boolean {
  const path = pathOfPointer(error.instancePath);
  return spoilt.some((place) => place.every((part, index) => String(part) === path[index]));
}

function toDiagnostic(document: PolicyDocument, error: SchemaError): Diagnostic {
  const { place, code, ...wording } = explainSchemaError(error);
  const origin = place.side === 'key' ? originOfKey(document, place.path) : originOfValue(document, place.path);
  return errorAt(origin, code, wording);
}
