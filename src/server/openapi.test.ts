import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { API_ROUTES } from './api.ts';
import { API_OPERATIONS } from './api-operations.ts';
import { openApiDocument } from './openapi.ts';

test('the document is valid OpenAPI, and has no reference that leads nowhere', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(openApiDocument('0.1.0')));
  expect(result).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  expect(() => validator.resolveRefs()).not.toThrow();
});

test('every route of the API is described, and no other', () => {
  expect(Object.keys(API_OPERATIONS).sort()).toEqual([...API_ROUTES].sort());
});

test('a route with a name says what that is, and what acts has a body', () => {
  for (const [route, { name, body }] of Object.entries(API_OPERATIONS)) {
    expect([route, name !== undefined]).toEqual([route, route.includes(':name')]);
    expect([route, body !== undefined]).toEqual([route, route.startsWith('POST')]);
  }
});

test('each operation has an id of its own', () => {
  const ids = JSON.stringify(openApiDocument('0.1.0')).match(/(?<="operationId":")\w+/g) ?? [];
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.length).toBeGreaterThan(Object.keys(API_OPERATIONS).length);
});
