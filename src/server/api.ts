import type { ApprovalAnswer } from '../core/approval-commands.ts';
import type { PolicySet } from '../core/model/desired.ts';
import type { RowSelection } from '../core/model/target.ts';
import { describeEvent } from '../core/report/describe-event.ts';
import { previewRollback, type RollbackRequest } from '../core/rollback-command.ts';
import type { Millis } from '../core/units.ts';
import type { BackupRequest } from '../daemon/backup/create-backup.ts';
import { MOST_POINTS } from '../daemon/observe/explore.ts';
import { PromqlError } from '../promql/promql-error.ts';
import type { LogRecord } from '../store/store.ts';
import { applyPlan } from './apply-plan.ts';
import { audit } from './audit.ts';
import { ANONYMOUS, type Caller } from './caller-proof.ts';
import { type DrillStatus, drillStatus, drillStatuses } from './drill-status.ts';
import { explain } from './explain.ts';
import type { HostControl, HostView } from './host-view.ts';
import { mergeIn } from './merge-request.ts';
import { periodReport } from './period.ts';
import { pointAt, pointDetail, pointStatuses, prunePreview, restoreStatus } from './point-status.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { shownPlan } from './shown-plan.ts';
import { flagStatus, flagStatuses, holdStatuses, incidentStatus, statusOf } from './status.ts';

/** One request, freed of HTTP. `actor` is who asks; acting needs one. */
export type ApiRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly actor: string;
  /** Who that is on this host, where it was proved. */
  readonly caller?: Caller;
};

export type ApiHost = { readonly view: HostView; readonly control: HostControl | null };

type Handler = (host: ApiHost, request: ApiRequest, name: string) => unknown;

const LONGEST_LIST = 1_000;

/** `:name` is one part of the path. Everything the command line can do is here. */
const ROUTES: readonly (readonly [method: string, pattern: string, handler: Handler])[] = [
  ['GET', 'status', ({ view }) => statusOf(view)],
  ['GET', 'plan', ({ view }) => planOf(view)],
  ['POST', 'plan', ({ view }, { body }) => planOf(view, policiesIn(body))],
  ['GET', 'flags', ({ view }) => list({ flags: flagStatuses(view) })],
  ['POST', 'apply', (host, { actor, body }) => applyPlan(host.view, control(host), actor, field(body, 'plan'))],
  ['GET', 'observation', ({ view }) => list(view.observe())],
  ['GET', 'flags/:name', ({ view }, _request, name) => oneFlag(view, name)],
  ['POST', 'flags/:name/override', (host, request, name) => override(host, request, name)],
  [
    'GET',
    'holds',
    ({ view }) =>
      list({
        holds: holdStatuses({
          desired: view.desired(),
          memory: view.memory(),
          now: view.now(),
          windows: view.windows(),
        }),
      }),
  ],
  [
    'POST',
    'holds/lift',
    (host, { actor, body }) => done(control(host).liftHold(actor, text(body, 'id'), optionalText(body, 'reason'))),
  ],
  [
    'POST',
    'adopt',
    (host, { actor, body }) => list({ adopted: control(host).adopt(actor, optionalText(body, 'object')) }),
  ],
  [
    'POST',
    'source/accept',
    (host, { actor, body }) => done(control(host).acceptRevision(actor, text(body, 'revision'))),
  ],
  ['GET', 'incidents', ({ view }, { query }) => incidents(view, query)],
  ['GET', 'incidents/:name', ({ view }, _request, name) => oneIncident(view, name)],
  ['GET', 'incidents/:name/report', ({ view }, _request, name) => incidentReport(view, name)],
  ['GET', 'report', ({ view }, { query }) => periodReport(view, query)],
  [
    'POST',
    'incidents/:name/abort',
    (host, { actor, body }, name) => done(control(host).abortIncident(actor, name, optionalText(body, 'reason'))),
  ],
  [
    'POST',
    'incidents/:name/answer',
    (host, { actor, body }, name) => done(control(host).answerIncident(actor, name, answerIn(body))),
  ],
  ['POST', 'incidents/:name/approve', (host, request, name) => approve(host, request, name)],
  [
    'POST',
    'incidents/:name/reject',
    (host, { caller, body }, name) => done(control(host).rejectRung(caller ?? ANONYMOUS, name, approvalIn(body))),
  ],
  [
    'GET',
    'rollback/:name',
    ({ view }, request, name) => list(previewRollback(situationOf(view), rollbackIn(request, name))),
  ],
  ['POST', 'rollback/:name', (host, request, name) => rollBack(host, request, name)],
  ['GET', 'drills', ({ view }) => list({ drills: drillStatuses(view) })],
  ['GET', 'drills/:name', ({ view }, _request, name) => list(oneDrill(view, name))],
  ['POST', 'drills/:name', (host, { actor }, name) => list({ run: control(host).drill(actor, name) })],
  [
    'POST',
    'halt',
    (host, { actor, body }) => done(control(host).halt(actor, text(body, 'reason'), field(body, 'now') === true)),
  ],
  ['POST', 'resume', (host, { actor }) => list({ wasHalted: control(host).resume(actor) })],
  ['GET', 'points', ({ view }) => list({ points: pointStatuses(view) })],
  ['GET', 'points/prune', ({ view }, { query }) => previewed(view, query)],
  ['POST', 'points/prune', (host, request) => prune(host, request)],
  ['POST', 'points/verify', (host, request) => verify(host, request, undefined)],
  ['GET', 'points/at', ({ view }, { query }) => list(pointAt(view, query))],
  ['GET', 'points/:name', ({ view }, _request, name) => list(pointDetail(view, name))],
  ['GET', 'points/:name/diff', (host, request, name) => diff(host, request, name)],
  ['POST', 'points', (host, request) => take(host, request)],
  ['POST', 'points/:name/cancel', (host, { actor }, name) => done(control(host).cancelPoint(actor, name))],
  [
    'POST',
    'points/:name/pin',
    (host, { actor, body }, name) => done(control(host).pinPoint(actor, name, optionalText(body, 'reason'))),
  ],
  ['POST', 'points/:name/unpin', (host, { actor }, name) => done(control(host).unpinPoint(actor, name))],
  ['POST', 'points/:name/prune', (host, { actor }, name) => done(control(host).prunePoint(actor, name))],
  ['POST', 'points/:name/undelete', (host, { actor }, name) => done(control(host).undeletePoint(actor, name))],
  [
    'POST',
    'points/:name/export',
    async (host, { body }, name) => list({ bytes: await control(host).exportPoint(name, text(body, 'path')) }),
  ],
  [
    'POST',
    'points/import',
    async (host, { actor, body }) => list({ point: await control(host).importPoint(actor, text(body, 'path')) }),
  ],
  ['POST', 'points/:name/restore', (host, request, name) => restore(host, request, name)],
  ['GET', 'restores/:name', ({ view }, _request, name) => list(restoreStatus(view, name))],
  ['POST', 'points/:name/verify', (host, request, name) => verify(host, request, name)],
  ['GET', 'events', ({ view }, { query }) => list({ events: eventsOf(view, query).map(eventJson) })],
  ['GET', 'explain/:name', ({ view }, _request, name) => explain(view, name)],
  ['GET', 'query', ({ view }, { query }) => queried(view, query)],
  ['GET', 'backup', ({ view }) => list({ progress: view.backupProgress() })],
  ['POST', 'backup', async (host, { body }) => list(await control(host).backUp(backupIn(body)))],
  ['GET', 'audit', ({ view }, { query }) => audit(view, query)],
];

/** `GET points/:name` and all others, as `api-operations.ts` describes them. */
export const API_ROUTES: readonly string[] = ROUTES.map(([method, pattern]) => `${method} ${pattern}`);

/** Answers a request below `/api/v1/`; what takes long answers a promise. @throws HttpProblem | CommandError */
export function answer(host: ApiHost, request: ApiRequest): unknown {
  const path = request.path.replace(/^\/api\/v1\//, '');
  let known = false;
  for (const [method, pattern, handler] of ROUTES) {
    const name = match(pattern, path);
    if (name === undefined) continue;
    known = true;
    if (method === request.method) return handler(host, request, name);
  }
  if (known) throw new HttpProblem(405, 'method', `${request.method} is not possible on ${request.path}`);
  throw new HttpProblem(404, 'route', `there is nothing at ${request.path}`);
}

/** The value of `:name`, an empty text where the pattern has none, undefined where it does not fit. */
function match(pattern: string, path: string): string | undefined {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  let name = '';
  for (const [index, part] of wanted.entries()) {
    const found = given[index] ?? '';
    if (part === ':name') name = decodeURIComponent(found);
    else if (part !== found) return undefined;
  }
  return name;
}

function take(host: ApiHost, { actor, body }: ApiRequest): unknown {
  const ttlMs = field(body, 'ttlMs');
  if (ttlMs !== undefined && (typeof ttlMs !== 'number' || !(ttlMs > 0))) {
    throw new HttpProblem(400, 'invalid', '`ttlMs` is a positive number of milliseconds');
  }
  const texts = ['policy', 'name', 'description', 'session'].flatMap((key) => {
    const value = optionalText(body, key);
    return value === undefined ? [] : [[key, value]];
  });
  const targets = optionalTexts(body, 'targets');
  const point = control(host).takePoint(actor, {
    ...Object.fromEntries(texts),
    ...(targets === undefined ? {} : { targets }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(field(body, 'recover') === true ? { recover: true } : {}),
    metadata: textsByName(body, 'metadata'),
    cause: { kind: field(body, 'by') === 'library' ? 'library' : 'command', by: actor },
  });
  return list({ point });
}

function restore(host: ApiHost, { actor, body }: ApiRequest, point: string): unknown {
  const target = optionalText(body, 'target');
  const paths = optionalTexts(body, 'paths') ?? [];
  const rows = rowsOf(optionalTexts(body, 'tables') ?? [], optionalTexts(body, 'keys') ?? []);
  const merge = mergeIn(field(body, 'merge'));
  const request = {
    point,
    paths,
    reason: text(body, 'reason'),
    ...(target === undefined ? {} : { target }),
    ...(rows === undefined ? {} : { rows }),
    ...(merge === undefined ? {} : { merge }),
  };
  return list({ restore: control(host).restorePoint(actor, request) });
}

function rowsOf(tables: readonly string[], keys: readonly string[]): RowSelection | undefined {
  if (keys.length > 0 && tables.length !== 1) {
    throw new HttpProblem(400, 'invalid', `keys are of one table; found ${tables.length} of them`);
  }
  return tables.length === 0 ? undefined : { tables, keys };
}

function verify(host: ApiHost, { actor, body }: ApiRequest, name: string | undefined): unknown {
  const points = name === undefined ? [] : [name];
  return list({ points: control(host).verifyPoints(actor, { points, rehearse: field(body, 'restoreTest') === true }) });
}

function optionalAge(value: unknown): Millis | undefined {
  if (value === undefined || value === null) return undefined;
  const age = Number(value);
  if (age > 0) return age;
  throw new HttpProblem(400, 'invalid', '`olderThanMs` is a positive number of milliseconds');
}

function prune(host: ApiHost, { actor, body }: ApiRequest): unknown {
  const policy = optionalText(body, 'policy');
  const olderThanMs = optionalAge(field(body, 'olderThanMs'));
  const request = {
    confirm: field(body, 'confirm') === true,
    immediately: field(body, 'immediately') === true,
    ...(policy === undefined ? {} : { policy }),
    ...(olderThanMs === undefined ? {} : { olderThanMs }),
  };
  return list({ pruned: control(host).prunePoints(actor, request) });
}

function previewed(view: HostView, query: URLSearchParams): unknown {
  const policy = query.get('policy');
  const olderThanMs = optionalAge(query.get('olderThanMs'));
  return prunePreview(view, {
    ...(policy === null ? {} : { policy }),
    ...(olderThanMs === undefined ? {} : { olderThanMs }),
  });
}

async function diff({ view }: ApiHost, { query }: ApiRequest, point: string): Promise<unknown> {
  const target = query.get('target');
  const rows = rowsOf(query.getAll('table'), query.getAll('key'));
  const request = { point, with: query.get('with') ?? 'live', ...(rows === undefined ? {} : { rows }) };
  return list(await view.diffPoint(target === null ? request : { ...request, target }));
}

function planOf(view: HostView, policies?: PolicySet): unknown {
  const plan = view.plan(policies);
  if (plan === null) throw new HttpProblem(503, 'noPolicies', 'no revision of the policies is in force yet');
  const adopt = view.desired()?.adopt ?? 'ask';
  const desired = policies === undefined ? view.desired() : { ...policies, adopt };
  return shownPlan(plan, { desired, windows: view.windows() }, view.hostName, view.version);
}

function oneFlag(view: HostView, name: string): unknown {
  const flag = view.desired()?.flags[name];
  if (flag === undefined)
    throw new HttpProblem(404, 'notFound', `there is no flag ${name}; \`revertd flags list\` shows all`);
  const history = view.store?.events({ subject: `Flag/${name}`, limit: 100 }) ?? [];
  return list({ ...flagStatus(flag, view), history: history.map(eventJson) });
}

function oneDrill(view: HostView, name: string): DrillStatus {
  const drill = view.desired()?.drills?.[name];
  if (drill === undefined)
    throw new HttpProblem(404, 'notFound', `there is no drill ${name}; \`revertd drills list\` shows all`);
  return drillStatus(drill, view);
}

function override(host: ApiHost, { actor, body }: ApiRequest, flag: string): unknown {
  const ttlMs = field(body, 'ttlMs');
  if (ttlMs !== undefined && ttlMs !== null && (typeof ttlMs !== 'number' || !(ttlMs > 0))) {
    throw new HttpProblem(400, 'invalid', '`ttlMs` is a positive number of milliseconds, or null for no end');
  }
  control(host).overrideFlag(actor, {
    flag,
    variant: text(body, 'variant'),
    reason: text(body, 'reason'),
    ttlMs: ttlMs ?? null,
    force: field(body, 'force') === true,
  });
  return done();
}

function approve(host: ApiHost, { caller = ANONYMOUS, body }: ApiRequest, id: string): unknown {
  const answer = approvalIn(body);
  if (field(body, 'override') === true) control(host).overrideApproval(caller, id, answer);
  else control(host).approveRung(caller, id, answer);
  return done();
}

function approvalIn(body: unknown): ApprovalAnswer {
  const [rung, digest, reason] = [
    optionalText(body, 'rung'),
    optionalText(body, 'digest'),
    optionalText(body, 'reason'),
  ];
  return {
    ...(rung === undefined ? {} : { rung }),
    ...(digest === undefined ? {} : { digest }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function rollBack(host: ApiHost, request: ApiRequest, policy: string): unknown {
  const reason = text(request.body, 'reason');
  return list({ incident: control(host).rollBack(request.actor, { ...rollbackIn(request, policy), reason }) });
}

function rollbackIn({ query, body }: ApiRequest, policy: string): Omit<RollbackRequest, 'reason'> {
  const rung = query.get('rung') ?? optionalText(body, 'rung');
  const force = query.get('force') === 'true' || field(body, 'force') === true;
  return { policy, force, ...(rung === undefined ? {} : { rung }) };
}

function situationOf(view: HostView) {
  return { desired: view.desired(), memory: view.memory(), now: view.now() };
}

function incidents(view: HostView, query: URLSearchParams): unknown {
  return list({ incidents: (view.store?.incidents(limitIn(query, 50)) ?? []).map(incidentStatus) });
}

function oneIncident(view: HostView, id: string): unknown {
  const incident = view.store?.incident(id);
  if (incident === undefined)
    throw new HttpProblem(404, 'notFound', `there is no incident ${id}; \`revertd incidents list\` shows all`);
  return list({ ...incidentStatus(incident), incident, report: view.report(id)?.markdown ?? '' });
}

function incidentReport(view: HostView, id: string): unknown {
  const report = view.report(id);
  if (report === undefined)
    throw new HttpProblem(404, 'notFound', `there is no incident ${id}; \`revertd incidents list\` shows all`);
  return list({ id, ...report });
}

function eventsOf(view: HostView, query: URLSearchParams): LogRecord[] {
  const after = query.get('after');
  const subject = query.get('subject');
  return (
    view.store?.events({
      limit: limitIn(query, 100),
      ...(after === null ? {} : { after: Number(after) }),
      ...(subject === null ? {} : { subject }),
    }) ?? []
  );
}

function eventJson({ seq, actor, event }: LogRecord): unknown {
  return { seq, actor, text: describeEvent(event), ...event };
}

function backupIn(body: unknown): BackupRequest {
  return { path: text(body, 'path'), withoutContent: field(body, 'withoutContent') === true };
}

function limitIn(query: URLSearchParams, usual: number): number {
  const given = Number(query.get('limit') ?? usual);
  return Number.isInteger(given) && given > 0 ? Math.min(given, LONGEST_LIST) : usual;
}

function queried(view: HostView, parameters: URLSearchParams): unknown {
  if (view.query === null)
    throw new HttpProblem(503, 'noDaemon', 'samples are only in a running daemon; start it with `revertd run`');
  const expr = parameters.get('expr') ?? '';
  const rangeMs = Number(parameters.get('rangeMs') ?? 0);
  const stepMs = Number(parameters.get('stepMs') ?? 1_000);
  if (!(rangeMs >= 0 && stepMs >= 1 && rangeMs / stepMs <= MOST_POINTS)) {
    throw new HttpProblem(400, 'invalid', `\`rangeMs\` over \`stepMs\` is at most ${MOST_POINTS} points`);
  }
  const now = view.now();
  const request = rangeMs === 0 ? { expr, from: now } : { expr, from: now - rangeMs, to: now, stepMs };
  try {
    return list(view.query(request));
  } catch (error) {
    if (error instanceof PromqlError)
      throw new HttpProblem(400, `query.${error.code}`, `${error.message} (at character ${error.offset + 1})`);
    throw error;
  }
}

function control(host: ApiHost): HostControl {
  if (host.control === null) {
    throw new HttpProblem(
      503,
      'noDaemon',
      'this needs the running daemon: start it with `revertd run`, or as the service',
    );
  }
  return host.control;
}

function list(content: object): unknown {
  return { schemaVersion: SCHEMA_VERSION, ...content };
}

function done(_nothing?: void): unknown {
  return { schemaVersion: SCHEMA_VERSION, done: true };
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

function text(body: unknown, name: string): string {
  const value = field(body, name);
  if (typeof value !== 'string' || value.trim() === '') {
    throw new HttpProblem(400, 'invalid', `\`${name}\` is missing; it is a text that is not empty`);
  }
  return value;
}

function optionalText(body: unknown, name: string): string | undefined {
  return field(body, name) === undefined ? undefined : text(body, name);
}

function optionalTexts(body: unknown, name: string): readonly string[] | undefined {
  const value = field(body, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string' && one !== '')) return value;
  throw new HttpProblem(400, 'invalid', `\`${name}\` is a list of texts`);
}

function textsByName(body: unknown, name: string): Readonly<Record<string, string>> {
  const value = field(body, name) ?? {};
  const entries = typeof value === 'object' ? Object.entries(value) : [['', null]];
  const texts = entries.flatMap(([key, one]): [string, string][] =>
    typeof key === 'string' && typeof one === 'string' ? [[key, one]] : [],
  );
  if (texts.length === entries.length) return Object.fromEntries(texts);
  throw new HttpProblem(400, 'invalid', `\`${name}\` is an object of texts`);
}

function answerIn(body: unknown): 'next' | 'retry' | 'done' {
  const given = text(body, 'answer');
  if (given === 'next' || given === 'retry' || given === 'done') return given;
  throw new HttpProblem(400, 'invalid', `an answer is next, retry or done, not ${JSON.stringify(given)}`);
}

/** Sent by the command line, which has loaded and validated them; only the shape is looked at here. */
function policiesIn(body: unknown): PolicySet {
  const policies = field(body, 'policies');
  const isSet = ['flags', 'policies', 'metricSources', 'notifiers'].every(
    (name) => typeof field(policies, name) === 'object',
  );
  if (!isSet) throw new HttpProblem(400, 'invalid', '`policies` is a set of validated policies');
  return policies as PolicySet;
}
