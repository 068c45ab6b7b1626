import type { JsonValue } from '../../core/model/step.ts';

type Json = { readonly [key: string]: JsonValue };

const OBJECT: Json = { type: 'object' };
const REQUEST: Json = {
  content: { 'application/json': { schema: { type: 'object', properties: { context: OBJECT } } } },
};
const FAILURE = withBody('Why not, with an `errorCode` of OpenFeature.', {
  type: 'object',
  required: ['errorCode'],
  properties: { key: { type: 'string' }, errorCode: { type: 'string' }, errorDetails: { type: 'string' } },
});
const EVALUATION: Json = {
  type: 'object',
  required: ['key', 'reason', 'metadata'],
  properties: {
    key: { type: 'string' },
    value: { description: 'Absent where the application decides itself.' },
    reason: { enum: ['STATIC', 'TARGETING_MATCH', 'DEFAULT', 'DISABLED'] },
    variant: { type: 'string' },
    metadata: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  },
};
const REFUSED: Json = {
  '401': { description: 'A token is needed that is known here.' },
  '403': { description: 'The token has not the role.' },
  '413': FAILURE,
  '429': { description: 'Too many; Retry-After says when again.' },
  '500': FAILURE,
};

function withBody(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } };
}

/** What is served beside `/api/v1/`, for the OpenAPI document; OFREP's own is that of github.com/open-feature/protocol. */
export const FLAG_PATHS: Json = {
  '/ofrep/v1/evaluate/flags/{key}': {
    post: {
      operationId: 'evaluateFlag',
      summary: 'One flag, for whoever the context says.',
      tags: ['ofrep'],
      parameters: [{ name: 'key', in: 'path', required: true, schema: { type: 'string' } }],
      requestBody: REQUEST,
      responses: { '200': withBody('What it is.', EVALUATION), '400': FAILURE, '404': FAILURE, ...REFUSED },
    },
  },
  '/ofrep/v1/evaluate/flags': {
    post: {
      operationId: 'evaluateFlagsBulk',
      summary: 'All flags, for whoever the context says.',
      tags: ['ofrep'],
      parameters: [{ name: 'If-None-Match', in: 'header', schema: { type: 'string' } }],
      requestBody: REQUEST,
      responses: {
        '200': withBody('What they are, each or why not; with an ETag.', {
          type: 'object',
          required: ['flags', 'metadata', 'eventStreams'],
          properties: {
            flags: { type: 'array', items: OBJECT },
            metadata: OBJECT,
            eventStreams: { type: 'array', items: OBJECT },
          },
        }),
        '304': { description: 'As before.' },
        '400': FAILURE,
        ...REFUSED,
      },
    },
  },
  '/ofrep/v1/events': {
    get: {
      operationId: 'flagEvents',
      summary: 'Tells when to ask again.',
      tags: ['ofrep'],
      parameters: [
        { name: 'ticket', in: 'query', schema: { type: 'string' } },
        { name: 'Last-Event-ID', in: 'header', schema: { type: 'string' } },
      ],
      responses: {
        '200': { description: 'Server-sent events.', content: { 'text/event-stream': { schema: { type: 'string' } } } },
        '401': { description: 'A ticket or token is needed.' },
        '429': { description: 'Too many; Retry-After says when again.' },
        '503': { description: 'Too many streams; Retry-After says when again.' },
      },
    },
  },
  '/admin/feature-flags': {
    get: {
      operationId: 'getFeatureFlags',
      summary: 'What flags are.',
      tags: ['flags'],
      responses: {
        '200': withBody('By name.', { type: 'object', required: ['flags'], properties: { flags: OBJECT } }),
        default: { $ref: '#/components/responses/Problem' },
      },
    },
    post: {
      operationId: 'setFeatureFlags',
      summary: 'Overrides flags, by their names or the keys of their places.',
      tags: ['flags'],
      parameters: ['reason', 'ttl', 'force'].map((name) => ({ name, in: 'query', schema: { type: 'string' } })),
      requestBody: {
        required: true,
        content: { 'application/json': { schema: { type: 'object', minProperties: 1 } } },
      },
      responses: {
        '200': withBody('What they are now.', { type: 'object', required: ['flags'], properties: { flags: OBJECT } }),
        default: { $ref: '#/components/responses/Problem' },
      },
    },
  },
};
