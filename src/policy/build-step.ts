import type { Check } from '../core/model/check.ts';
import type { RunStep, ServiceRef, Step, StepSpec } from '../core/model/step.ts';
import { formatDuration, type Millis } from '../core/units.ts';
import { buildChecks } from './build-check.ts';
import { buildContainerStep } from './build-container.ts';
import {
  argvAt,
  type BuildContext,
  durationAt,
  fault,
  faultAtKey,
  pathAt,
  SHORTEST_TIMEOUT,
  unitAt,
  urlAt,
  valueOrigin,
} from './build-context.ts';
import { buildEditFile } from './build-edit-file.ts';
import { buildGitCommit } from './build-git-commit.ts';
import { buildHttpExpectation } from './build-http-expectation.ts';
import { buildHeaders } from './build-parts.ts';
import { buildRepetition } from './build-repetition.ts';
import { buildCreatePoint, buildRestore } from './build-restore.ts';
import { buildAuth } from './build-source-parts.ts';
import { buildSqlStep } from './build-sql-step.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type {
  RawContainerStep,
  RawHttpStep,
  RawNotifyStep,
  RawRunStep,
  RawService,
  RawSetFlag,
  RawStep,
  RawWaitFor,
} from './raw-documents.ts';
import { parseSize } from './size-text.ts';

/** How long a step may take if it does not say. */
const DEFAULT_TIMEOUT_MS = {
  setFlag: 60_000,
  restore: 600_000,
  createPoint: 3_600_000,
  service: 120_000,
  container: 120_000,
  http: 10_000,
  run: 60_000,
  sql: 60_000,
  editFile: 10_000,
  gitCommit: 60_000,
} as const;
const DEFAULT_WAIT_MS: Millis = 60_000;
/** Queueing a message takes no time; what sends it has deadlines of its own. */
const NOTIFY_TIMEOUT_MS: Millis = 1000;

export function buildSteps(context: BuildContext, path: Path, raw: readonly RawStep[] | undefined): readonly Step[] {
  return (raw ?? []).map((step, index) => buildStep(context, [...path, index], step));
}

function buildStep(context: BuildContext, path: Path, raw: RawStep): Step {
  const [spec, timeoutMs] = buildSpec(context, path, raw);
  const when = raw.when === undefined ? {} : { when: buildWhen(context, [...path, 'when'], raw.when) };
  return { origin: valueOrigin(context, path), timeoutMs, ...when, ...spec };
}

/** What makes something effective that was written already is not a question any more. */
function buildWhen(context: BuildContext, path: Path, raw: NonNullable<RawStep['when']>): readonly Check[] {
  if (!path.includes('ladder')) {
    const message = '`when` is for steps of a ladder; what makes a state effective is done in any case';
    faultAtKey(context, path, 'E-STEP', message);
  }
  return buildChecks(context, path, raw);
}

function buildSpec(context: BuildContext, path: Path, raw: RawStep): readonly [StepSpec, Millis] {
  const timeout = (kind: keyof typeof DEFAULT_TIMEOUT_MS, text: string | undefined): Millis =>
    durationAt(context, [...path, kind, 'timeout'], text, DEFAULT_TIMEOUT_MS[kind], SHORTEST_TIMEOUT);
  if (raw.setFlag !== undefined) {
    return [buildSetFlag(context, [...path, 'setFlag'], raw.setFlag), timeout('setFlag', raw.setFlag.timeout)];
  }
  if (raw.restore !== undefined) {
    return [buildRestore(context, [...path, 'restore'], raw.restore), timeout('restore', raw.restore.timeout)];
  }
  if (raw.createPoint !== undefined) {
    const at = [...path, 'createPoint'];
    return [buildCreatePoint(context, at, raw.createPoint), timeout('createPoint', raw.createPoint.timeout)];
  }
  if (raw.service !== undefined) {
    return [buildService(context, [...path, 'service'], raw.service), timeout('service', raw.service.timeout)];
  }
  if (raw.container !== undefined) {
    const timeoutMs = timeout('container', raw.container.timeout);
    return [buildContainer(context, [...path, 'container'], raw.container, timeoutMs), timeoutMs];
  }
  if (raw.http !== undefined) {
    return [buildHttp(context, [...path, 'http'], raw.http), timeout('http', raw.http.timeout)];
  }
  if (raw.sql !== undefined) return [buildSqlStep(context, [...path, 'sql'], raw.sql), timeout('sql', raw.sql.timeout)];
  if (raw.editFile !== undefined) {
    return [buildEditFile(context, [...path, 'editFile'], raw.editFile), timeout('editFile', raw.editFile.timeout)];
  }
  if (raw.gitCommit !== undefined) {
    return [
      buildGitCommit(context, [...path, 'gitCommit'], raw.gitCommit),
      timeout('gitCommit', raw.gitCommit.timeout),
    ];
  }
  if (raw.notify !== undefined) return [buildNotify(context, [...path, 'notify'], raw.notify), NOTIFY_TIMEOUT_MS];
  if (raw.waitFor !== undefined) return buildWaitFor(context, [...path, 'waitFor'], raw.waitFor);
  const run = raw.run ?? { argv: [] };
  return [buildRun(context, [...path, 'run'], run), timeout('run', run.timeout)];
}

function buildSetFlag(context: BuildContext, path: Path, raw: RawSetFlag): StepSpec {
  const origin = valueOrigin(context, [...path, 'flag']);
  if (raw.to === 'safe') {
    context.references.push({ kind: 'Flag', name: raw.flag, origin, variant: 'safe' });
    return { kind: 'setFlag', flag: raw.flag, to: { kind: 'safe' } };
  }
  const { variant } = raw.to;
  const variantOrigin = valueOrigin(context, [...path, 'to', 'variant']);
  context.references.push({ kind: 'Flag', name: raw.flag, origin, variant: { name: variant, origin: variantOrigin } });
  return { kind: 'setFlag', flag: raw.flag, to: { kind: 'variant', variant } };
}

function buildService(context: BuildContext, path: Path, raw: RawService): StepSpec {
  const verb = typeof raw.do === 'string' ? { kind: raw.do } : { kind: 'signal' as const, signal: raw.do.signal };
  if (raw.pidFile !== undefined && verb.kind !== 'signal') {
    const message = `a process that is known by its pidFile can only be signalled; found \`do: ${verb.kind}\``;
    fault(context, [...path, 'do'], 'E-PID-FILE', { message, found: verb.kind, expected: '{signal: NAME}' });
  }
  return { kind: 'service', service: serviceOf(context, path, raw), do: verb };
}

function serviceOf(context: BuildContext, path: Path, raw: RawService): ServiceRef {
  if (raw.pidFile !== undefined) {
    return { kind: 'pidFile', path: pathAt(context, [...path, 'pidFile'], raw.pidFile, 'read') };
  }
  return { kind: 'unit', unit: unitAt(context, [...path, 'unit'], raw.unit ?? '') };
}

function buildContainer(context: BuildContext, path: Path, raw: RawContainerStep, timeoutMs: Millis): StepSpec {
  return {
    kind: 'container',
    ...buildContainerStep(context, path, raw, timeoutMs),
    ...buildRepetition(context, path, raw),
  };
}

function buildHttp(context: BuildContext, path: Path, raw: RawHttpStep): StepSpec {
  return {
    kind: 'http',
    method: raw.method ?? 'POST',
    url: urlAt(context, [...path, 'url'], raw.url),
    headers: buildHeaders(context, [...path, 'headers'], raw.headers),
    ...buildAuth(context, [...path, 'auth'], raw.auth),
    ...(raw.body === undefined ? {} : { body: raw.body }),
    ...(raw.retries === undefined ? {} : { retries: raw.retries }),
    ...buildHttpExpectation(context, path, raw),
    ...buildRepetition(context, path, raw),
  };
}

function buildRun(context: BuildContext, path: Path, raw: RawRunStep): StepSpec {
  return {
    kind: 'run',
    argv: argvAt(context, [...path, 'argv'], raw.argv),
    ...(raw.cwd === undefined ? {} : { cwd: pathAt(context, [...path, 'cwd'], raw.cwd, 'read') }),
    env: buildHeaders(context, [...path, 'env'], raw.env),
    ...(raw.user === undefined ? {} : { user: raw.user }),
    ...(raw.unit === undefined ? {} : { unit: buildUnit(context, [...path, 'unit'], raw.unit) }),
    ...buildRepetition(context, path, raw),
  };
}

function buildUnit(
  context: BuildContext,
  path: Path,
  { memory, cpuPercent, tasks }: NonNullable<RawRunStep['unit']>,
): NonNullable<RunStep['unit']> {
  const memoryBytes = memory === undefined || hasVariable(memory) ? undefined : parseSize(memory);
  if (memory !== undefined && memoryBytes === undefined && !hasVariable(memory)) {
    fault(context, [...path, 'memory'], 'E-UNIT', `\`memory\` is not a size such as 512MiB: found "${memory}"`);
  }
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpuPercent === undefined ? {} : { cpuPercent }),
    ...(tasks === undefined ? {} : { tasks }),
  };
}

function buildNotify(context: BuildContext, path: Path, { to, text, severity }: RawNotifyStep): StepSpec {
  for (const [index, name] of to.entries()) {
    context.references.push({ kind: 'Notifier', name, origin: valueOrigin(context, [...path, 'to', index]) });
  }
  return { kind: 'notify', to: [...to], text, severity: severity ?? 'warning' };
}

function buildWaitFor(context: BuildContext, path: Path, raw: RawWaitFor): readonly [StepSpec, Millis] {
  const timeoutMs = durationAt(context, [...path, 'within'], raw.within, DEFAULT_WAIT_MS, SHORTEST_TIMEOUT);
  const forMs = durationAt(context, [...path, 'for'], raw.for, 0);
  if (forMs >= timeoutMs) {
    const message = `\`for\` (${formatDuration(forMs)}) must be shorter than \`within\` (${formatDuration(timeoutMs)}), or it can never be so`;
    fault(context, [...path, 'for'], 'E-WAIT', { message, found: raw.for ?? '' });
  }
  return [{ kind: 'waitFor', checks: buildChecks(context, [...path, 'checks'], raw.checks), forMs }, timeoutMs];
}
