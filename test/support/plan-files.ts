import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';

const SCHEMAS = join(import.meta.dirname, '../../schemas');
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors: true });

/** The faults that a schema of `schemas/` finds in an output; none if it holds. */
export function faultsBySchema(name: 'plan' | 'observation', output: unknown): string[] {
  const schema = JSON.parse(readFileSync(join(SCHEMAS, `${name}.schema.json`), 'utf8')) as AnySchemaObject;
  const validate = ajv.getSchema(String(schema['$id'])) ?? ajv.compile(schema);
  return validate(output) === true
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
