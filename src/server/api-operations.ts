import { STRATEGIES } from '../core/merge/conflict.ts';
import type { JsonValue } from '../core/model/step.ts';

type Schema = { readonly [key: string]: JsonValue };

/** One operation of the API, for those who write clients: see `openapi.ts`. */
export type ApiOperation = {
  readonly summary: string;
  readonly query?: Readonly<Record<string, Schema>>;
  readonly body?: { readonly properties: Readonly<Record<string, Schema>>; readonly required: readonly string[] };
  /** What `:name` is. */
  readonly name?: string;
  /** What the answer has beside `schemaVersion`. */
  readonly answer: Readonly<Record<string, Schema>>;
};

const TEXT: Schema = { type: 'string', minLength: 1 };
const TEXTS: Schema = { type: 'array', items: TEXT };
const YES: Schema = { type: 'boolean' };
const DECISION: Schema = {
  type: 'object',
  properties: { item: TEXT, digest: TEXT, take: { enum: ['live', 'snapshot'] } },
  required: ['item', 'digest', 'take'],
};
const MERGE: Schema = {
  type: 'object',
  description: 'Merges instead of replacing: what the point has otherwise than the ancestor is put into what is live.',
  properties: { ancestor: TEXT, conflicts: { enum: STRATEGIES }, decisions: { type: 'array', items: DECISION } },
  required: ['ancestor'],
};
const OBJECT: Schema = { type: 'object' };
const LIST: Schema = { type: 'array', items: OBJECT };
const COUNT: Schema = { type: 'integer', minimum: 0 };
const MILLIS: Schema = { type: 'integer', description: 'Milliseconds since 1970-01-01T00:00:00Z.' };
const SPAN: Schema = { type: 'number', exclusiveMinimum: 0, description: 'Milliseconds.' };
const DONE = { done: { const: true } } as const;
const NOTHING = { properties: {}, required: [] } as const;
const REASON = { properties: { reason: TEXT }, required: [] } as const;
const APPROVAL = { rung: TEXT, digest: TEXT, reason: TEXT } as const;

const POINT = 'The id of a point.';
const INCIDENT = 'The id of an incident, such as INC-1.';

function about(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

/** By method and pattern, as the API's own table has them; a test holds the two against each other. */
export const API_OPERATIONS: Readonly<Record<string, ApiOperation>> = {
  'GET status': {
    summary: 'How the host stands.',
    answer: { live: YES, host: TEXT, version: TEXT, points: OBJECT, conditions: LIST, triggers: LIST, flags: LIST },
  },
  'GET plan': {
    summary: 'What would be done now, why, and what would follow.',
    answer: { actions: LIST, points: OBJECT, outlook: LIST, holds: LIST, conditions: LIST },
  },
  'POST plan': {
    summary: 'The same for a validated set of policies; changes nothing.',
    body: { properties: { policies: OBJECT }, required: ['policies'] },
    answer: { actions: LIST, points: OBJECT, outlook: LIST, holds: LIST, conditions: LIST },
  },
  'POST apply': {
    summary: 'Does what a saved plan says, if its ground has not moved.',
    body: { properties: { plan: OBJECT }, required: ['plan'] },
    answer: { begun: TEXTS, underWay: TEXTS, done: TEXTS, held: COUNT },
  },
  'GET observation': { summary: 'What a plan rests on now.', answer: { host: OBJECT, memory: OBJECT } },
  'GET flags': { summary: 'All flags: in git, in effect, and their places.', answer: { flags: LIST } },
  'GET flags/:name': {
    summary: 'One flag with its history.',
    name: 'The name of a Flag.',
    answer: { flag: TEXT, git: TEXT, effective: TEXT, places: LIST, history: LIST },
  },
  'POST flags/:name/override': {
    summary: "Overrides git's value.",
    name: 'The name of a Flag.',
    body: {
      properties: {
        variant: TEXT,
        reason: TEXT,
        ttlMs: { type: ['number', 'null'], exclusiveMinimum: 0, description: 'Milliseconds; null for no end.' },
        force: about(YES, "Releases a rollback's latches."),
      },
      required: ['variant', 'reason'],
    },
    answer: DONE,
  },
  'GET holds': { summary: 'Every latch, override and adoption, and how it ends.', answer: { holds: LIST } },
  'POST holds/lift': {
    summary: 'Ends a hold now.',
    body: { properties: { id: TEXT, reason: TEXT }, required: ['id'] },
    answer: DONE,
  },
  'POST adopt': {
    summary: "Lets git's value in at first sight.",
    body: { properties: { object: about(TEXT, 'Flag/NAME; all if it is left out.') }, required: [] },
    answer: { adopted: COUNT },
  },
  'POST source/accept': {
    summary: 'Follows a revision although history was rewritten or emptied.',
    body: { properties: { revision: TEXT }, required: ['revision'] },
    answer: DONE,
  },
  'GET incidents': {
    summary: 'Incidents, the newest first.',
    query: { limit: { type: 'integer', minimum: 1, maximum: 1000 } },
    answer: { incidents: LIST },
  },
  'GET incidents/:name': {
    summary: 'One incident with its report.',
    name: INCIDENT,
    answer: { id: TEXT, state: TEXT, incident: OBJECT, report: { type: 'string' } },
  },
  'GET incidents/:name/report': {
    summary: 'Its report in Markdown and as a page.',
    name: INCIDENT,
    answer: { id: TEXT, markdown: TEXT, html: TEXT },
  },
  'GET report': {
    summary: 'Figures of a period, and of the one before.',
    query: { periodMs: SPAN },
    answer: { host: TEXT, from: MILLIS, to: MILLIS, now: OBJECT, before: OBJECT, storage: OBJECT },
  },
  'POST incidents/:name/abort': { summary: 'Ends an incident now.', name: INCIDENT, body: REASON, answer: DONE },
  'POST incidents/:name/answer': {
    summary: 'Answers an incident that asks.',
    name: INCIDENT,
    body: { properties: { answer: { enum: ['next', 'retry', 'done'] } }, required: ['answer'] },
    answer: DONE,
  },
  'POST incidents/:name/approve': {
    summary: 'Agrees to the rung that an incident waits with, as oneself.',
    name: INCIDENT,
    body: { properties: { ...APPROVAL, override: YES }, required: [] },
    answer: DONE,
  },
  'POST incidents/:name/reject': {
    summary: 'Refuses the rung that an incident waits with.',
    name: INCIDENT,
    body: { properties: APPROVAL, required: [] },
    answer: DONE,
  },
  'GET rollback/:name': {
    summary: 'What walking the ladder would do now.',
    name: 'The name of a RollbackPolicy.',
    query: { rung: TEXT, force: { enum: ['true', 'false'] } },
    answer: {},
  },
  'POST rollback/:name': {
    summary: 'Walks a ladder by hand.',
    name: 'The name of a RollbackPolicy.',
    body: { properties: { rung: TEXT, reason: TEXT, force: YES }, required: ['reason'] },
    answer: { incident: TEXT },
  },
  'GET drills': { summary: 'Every drill, and how the last one went.', answer: { drills: LIST } },
  'GET drills/:name': {
    summary: 'One drill, and how far it has come.',
    name: 'The name of a Drill.',
    answer: { drill: TEXT, policy: TEXT },
  },
  'POST drills/:name': {
    summary: 'Has a drill run now.',
    name: 'The name of a Drill.',
    body: NOTHING,
    answer: { run: TEXT },
  },
  'POST halt': {
    summary: 'The emergency stop.',
    body: {
      properties: { reason: TEXT, now: about(YES, 'Also kills steps that are under way.') },
      required: ['reason'],
    },
    answer: DONE,
  },
  'POST resume': { summary: 'Allows automatic action again.', body: NOTHING, answer: { wasHalted: YES } },
  'GET points': { summary: 'Rollback points, the newest first, each with what keeps it.', answer: { points: LIST } },
  'POST points': {
    summary: 'Takes a point now.',
    body: {
      properties: {
        policy: about(TEXT, 'A PointPolicy, by which the point lives.'),
        targets: about(TEXTS, "Instead of the policy's."),
        name: TEXT,
        description: TEXT,
        session: TEXT,
        metadata: { type: 'object', additionalProperties: { type: 'string' } },
        ttlMs: SPAN,
        recover: about(YES, 'Of a damaged SQLite database what can be read is kept.'),
        by: about({ enum: ['library'] }, 'Said by the library.'),
      },
      required: [],
    },
    answer: { point: TEXT },
  },
  'GET points/prune': {
    summary: 'What pruning now would do, what stays, and why.',
    query: { policy: TEXT },
    answer: { runs: LIST, kept: LIST },
  },
  'POST points/prune': {
    summary: 'Prunes what no rule keeps.',
    body: {
      properties: {
        policy: TEXT,
        confirm: about(YES, 'Also more than a policy allows at once.'),
        olderThanMs: about(
          { type: 'number', exclusiveMinimum: 0 },
          'Also what rules keep, and is at least so old; what is protected stays.',
        ),
        immediately: about(YES, 'The content is deleted at once, and cannot be brought back.'),
      },
      required: [],
    },
    answer: { pruned: TEXTS },
  },
  'POST points/verify': {
    summary: 'Has all points read again.',
    body: { properties: { restoreTest: YES }, required: [] },
    answer: { points: COUNT },
  },
  'GET points/at': {
    summary: 'The newest intact point of a target that was complete by a time.',
    query: { target: TEXT, at: MILLIS },
    answer: { point: TEXT, state: TEXT },
  },
  'GET points/:name': {
    summary: 'One point with its snapshots, its history and its progress.',
    name: POINT,
    answer: { point: TEXT, state: TEXT, targets: TEXTS, snapshots: LIST, events: LIST },
  },
  'GET points/:name/diff': {
    summary: 'What is different live, or in another point.',
    name: POINT,
    query: { with: about(TEXT, '`live`, or the id of another point.'), target: TEXT },
    answer: { point: TEXT, with: TEXT, targets: LIST },
  },
  'POST points/:name/cancel': {
    summary: 'Gives up a point that is being captured.',
    name: POINT,
    body: NOTHING,
    answer: DONE,
  },
  'POST points/:name/pin': {
    summary: 'Keeps it whatever its policy says.',
    name: POINT,
    body: REASON,
    answer: DONE,
  },
  'POST points/:name/unpin': {
    summary: 'Lets it live by its policy again.',
    name: POINT,
    body: NOTHING,
    answer: DONE,
  },
  'POST points/:name/prune': { summary: 'Prunes this one.', name: POINT, body: NOTHING, answer: DONE },
  'POST points/:name/undelete': {
    summary: 'Brings a pruned point back, and pins it.',
    name: POINT,
    body: NOTHING,
    answer: DONE,
  },
  'POST points/:name/export': {
    summary: 'Writes a point with all its content into one file on the host.',
    name: POINT,
    body: { properties: { path: about(TEXT, 'Of the file.') }, required: ['path'] },
    answer: { bytes: COUNT },
  },
  'POST points/import': {
    summary: 'Takes over a point from such a file.',
    body: { properties: { path: about(TEXT, 'Of the file.') }, required: ['path'] },
    answer: { point: TEXT },
  },
  'POST points/:name/restore': {
    summary: 'Puts targets back; what is overwritten is kept first.',
    name: POINT,
    body: { properties: { reason: TEXT, target: TEXT, paths: TEXTS, merge: MERGE }, required: ['reason'] },
    answer: { restore: TEXT },
  },
  'GET restores/:name': {
    summary: 'A restore by hand, also one that is over.',
    name: 'The id of a restore, such as RST-1.',
    answer: {
      restore: TEXT,
      state: { enum: ['running', 'done', 'failed'] },
      point: TEXT,
      safety: TEXT,
      phases: {
        description: 'By target, what a merge that is under way goes through now.',
        type: 'object',
        additionalProperties: TEXT,
      },
    },
  },
  'POST points/:name/verify': {
    summary: 'Has its content read again.',
    name: POINT,
    body: { properties: { restoreTest: YES }, required: [] },
    answer: { points: COUNT },
  },
  'GET events': {
    summary: 'The log.',
    query: { after: COUNT, subject: about(TEXT, 'KIND/NAME.'), limit: { type: 'integer', minimum: 1, maximum: 1000 } },
    answer: { events: LIST },
  },
  'GET explain/:name': {
    summary: 'One object in full, and what happened to it lately.',
    name: 'KIND/NAME, such as PointPolicy/nightly; its slash is written as %2F.',
    answer: { kind: TEXT, name: TEXT, events: LIST },
  },
  'GET query': {
    summary: "Evaluates PromQL over the daemon's samples.",
    query: { expr: TEXT, rangeMs: SPAN, stepMs: SPAN },
    answer: {},
  },
  'GET backup': {
    summary: 'How far the backup is that is being made; null while none is.',
    answer: { progress: { type: ['object', 'null'] } },
  },
  'POST backup': {
    summary: 'Writes all that revertd knows into one file on this host; answers when it is whole.',
    body: {
      properties: {
        path: about(TEXT, 'A file that is not there yet, or a folder, in which it gets a name.'),
        withoutContent: about(YES, 'Leaves the content of points out.'),
      },
      required: ['path'],
    },
    answer: { path: TEXT, bytes: COUNT, seq: COUNT, hash: TEXT, schema: COUNT, sha256: TEXT },
  },
  'GET audit': {
    summary: 'Whether the log is whole, and has the heads that were said elsewhere.',
    query: { head: about(TEXT, 'SEQ:HASH, or SEQ:HASH@MILLIS with the time when it was said; any number of them.') },
    answer: { records: COUNT, head: TEXT, faults: LIST },
  },
};
