import type { JsonValue } from '../core/model/step.ts';
import { API_OPERATIONS, type ApiOperation } from './api-operations.ts';
import { FLAG_PATHS } from './ofrep/openapi-paths.ts';
import { SCHEMA_VERSION } from './schema-version.ts';

type Json = { readonly [key: string]: JsonValue };

/** An OpenAPI 3.1 document: everything below `/api/v1/`, made from the table of operations, and flags for applications. */
export function openApiDocument(version: string): Json {
  const paths = new Map<string, Record<string, JsonValue>>();
  for (const [route, operation] of Object.entries(API_OPERATIONS)) {
    const space = route.indexOf(' ');
    const [method, pattern] = [route.slice(0, space), route.slice(space + 1)];
    const path = `/api/v1/${pattern.replaceAll(':name', '{name}')}`;
    const known = paths.get(path) ?? {};
    paths.set(path, { ...known, [method.toLowerCase()]: operationOf(method, pattern, operation) });
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'revertd',
      version,
      summary: 'What a running daemon answers, and what it can be told.',
      description:
        'The port serves flags, and reads. Everything else goes over the control socket, on which a caller proves who it is.',
    },
    servers: [{ url: '/' }],
    paths: { ...Object.fromEntries(paths), ...FLAG_PATHS },
    components: { schemas: { Problem: PROBLEM }, responses: { Problem: PROBLEM_RESPONSE } },
  };
}

function operationOf(method: string, pattern: string, operation: ApiOperation): Json {
  const { summary, query = {}, body, name, answer } = operation;
  const inPath = name === undefined ? [] : [{ name: 'name', in: 'path', required: true, description: name, ...TEXT }];
  const inQuery = Object.entries(query).map(([key, schema]) => ({ name: key, in: 'query', schema }));
  const parameters = [...inPath, ...inQuery];
  return {
    operationId: operationId(method, pattern),
    summary,
    tags: [pattern.split('/')[0] ?? pattern],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: {
      '200': { description: 'So it is.', content: { 'application/json': { schema: answerSchema(answer) } } },
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

const TEXT = { schema: { type: 'string', minLength: 1 } } as const;

/** `postPointsNameRestore`: distinct, and stable as long as the route is. */
function operationId(method: string, pattern: string): string {
  const words = pattern.split(/[/:]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function requestBody({ properties, required }: NonNullable<ApiOperation['body']>): Json {
  const schema = { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
  return { required: required.length > 0, content: { 'application/json': { schema } } };
}

/** Fields may be added at any time; `schemaVersion` is raised when one changes its meaning or goes away. */
function answerSchema(answer: ApiOperation['answer']): Json {
  const properties = { schemaVersion: { const: SCHEMA_VERSION }, ...answer };
  return { type: 'object', required: Object.keys(properties), properties };
}

const PROBLEM: Json = {
  description: 'RFC 9457. `code` is stable; `detail` is for people.',
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { const: 'about:blank' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string' },
    code: { type: 'string' },
  },
};

const PROBLEM_RESPONSE: Json = {
  description: 'Why not.',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
