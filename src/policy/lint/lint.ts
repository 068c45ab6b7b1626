import type { Origin } from '../../core/model/origin.ts';
import type { PolicyFile } from '../../core/model/revision.ts';
import { compareDiagnostics, type Diagnostic } from '../diagnostic.ts';
import { type LoadedRevision, loadRevision } from '../load.ts';
import type { BuiltObject } from '../load-document.ts';
import type { LoadOptions } from '../load-options.ts';
import { originOfKey, originOfValue, type PolicyDocument } from '../policy-document.ts';
import { enclosingLines } from './enclosing-lines.ts';
import type { Doubt, LintRule, LintSeverity, LintWorld, Subject } from './lint-rule.ts';
import { LOADER_DOUBTS } from './loader-doubts.ts';
import { judgedQueries } from './queries.ts';
import { LINT_RULES } from './registry.ts';
import { type BadSilence, type Silence, silencesIn } from './silence.ts';
import { SILENCE_RULES } from './silence-rules.ts';

export type Finding = Origin & {
  /** The id of a rule, or the code of a loader's doubt. */
  readonly rule: string;
  readonly severity: LintSeverity;
  readonly message: string;
  readonly why: string;
  readonly mend: string;
};

export type LintResult =
  | {
      readonly ok: true;
      readonly findings: readonly Finding[];
      /** Those that a comment silences, with its reason. */
      readonly silenced: readonly (Finding & { readonly reason: string })[];
      readonly documents: number;
      readonly files: number;
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly omitted: number };

/** What a silence can name. */
export const SILENCEABLE: readonly string[] = [...LINT_RULES.map(({ id }) => id), ...Object.keys(LOADER_DOUBTS)];

/** Doubts about a revision that is valid; of one that is not, its faults. */
export function lintPolicies(files: readonly PolicyFile[], options: LoadOptions): LintResult {
  const loaded = loadRevision(files, options);
  const { result } = loaded;
  if (!result.ok) return result;
  const world = worldOf(loaded);
  const documents = loaded.documents.map(({ document }) => document);
  const found = [...LINT_RULES.flatMap((rule) => apply(rule, world)), ...result.warnings.map(ofLoader)];
  const { silences, bad } = readSilences(documents);
  const { left, silenced, used } = silence(found, silences, documents);
  const own = [...bad.map(ofBadSilence), ...silences.filter((entry) => !used.has(entry)).map(ofUnusedSilence)];
  return {
    ok: true,
    findings: [...left, ...own].sort(compareFindings),
    silenced,
    documents: result.documents,
    files: result.files,
  };
}

function worldOf({ documents }: LoadedRevision): LintWorld {
  const subjects = documents.flatMap(({ document, loaded: { object, isHere } }) =>
    object === undefined || !isHere ? [] : [{ document, object }],
  );
  const policies = pick(subjects, (object) => (object.kind === 'RollbackPolicy' ? object.value : undefined));
  return {
    sources: pick(subjects, (object) => (object.kind === 'MetricSource' ? object.value : undefined)),
    targets: pick(subjects, (object) => (object.kind === 'Target' ? object.value : undefined)),
    flags: pick(subjects, (object) => (object.kind === 'Flag' ? object.value : undefined)),
    policies,
    queries: judgedQueries({ policies }),
    drills: pick(subjects, (object) => (object.kind === 'Drill' ? object.value : undefined)),
    pointPolicies: pick(subjects, (object) => (object.kind === 'PointPolicy' ? object.value : undefined)),
    notifiers: pick(subjects, (object) => (object.kind === 'Notifier' ? object.value : undefined)),
  };
}

function pick<T>(
  subjects: readonly { readonly document: PolicyDocument; readonly object: BuiltObject }[],
  choose: (object: BuiltObject) => T | undefined,
): readonly Subject<T>[] {
  return subjects.flatMap(({ document, object }) => {
    const value = choose(object);
    return value === undefined ? [] : [{ document, value }];
  });
}

function apply({ id, severity, why, mend, find }: LintRule, world: LintWorld): readonly Finding[] {
  return find(world).map((doubt) => {
    return { ...originOf(doubt), rule: id, severity, message: doubt.message, why, mend: doubt.mend ?? mend };
  });
}

/** A block below its key is pointed at by the key, behind which a comment can stand. */
function originOf({ document, path }: Doubt): Origin {
  const [key, value] = [originOfKey(document, path), originOfValue(document, path)];
  return key.line === value.line ? value : key;
}

function ofLoader({ file, line, column, code, message }: Diagnostic): Finding {
  const { why = '', mend = '' } = LOADER_DOUBTS[code] ?? {};
  return { file, line, column, rule: code, severity: 'warning', message, why, mend };
}

/** Of each file once, however many documents it has. */
function readSilences(documents: readonly PolicyDocument[]) {
  const texts = new Map(documents.map(({ file, text }) => [file, text]));
  const read = [...texts].map(([file, text]) => silencesIn(file, text, SILENCEABLE));
  return { silences: read.flatMap(({ silences }) => silences), bad: read.flatMap(({ bad }) => bad) };
}

function silence(found: readonly Finding[], silences: readonly Silence[], documents: readonly PolicyDocument[]) {
  const used = new Set<Silence>();
  const byFile = Map.groupBy(documents, ({ file }) => file);
  const silencesOf = Map.groupBy(silences, ({ file }) => file);
  const silenced: (Finding & { readonly reason: string })[] = [];
  const left = found.filter((finding) => {
    const candidates = (silencesOf.get(finding.file) ?? []).filter(({ rules }) => rules.includes(finding.rule));
    if (candidates.length === 0) return true;
    const lines = linesOf(finding, byFile.get(finding.file) ?? []);
    const entry = candidates.find(({ covers }) => lines.includes(covers));
    if (entry === undefined) return true;
    used.add(entry);
    silenced.push({ ...finding, reason: entry.reason });
    return false;
  });
  return { left, silenced, used };
}

function linesOf({ line, column }: Finding, documents: readonly PolicyDocument[]): readonly number[] {
  const document = documents.findLast(
    ({ root, lines }) => (root.range?.[0] ?? 0) <= (lines[line - 1] ?? 0) + column - 1,
  );
  return document === undefined ? [line] : enclosingLines(document, line, column);
}

function ofBadSilence({ message, ...place }: BadSilence): Finding {
  const { id, severity, why, mend } = SILENCE_RULES.bad;
  return { ...place, rule: id, severity, message, why, mend };
}

function ofUnusedSilence({ file, line, column, rules, covers }: Silence): Finding {
  const { id, severity, why, mend } = SILENCE_RULES.unused;
  const message = `${rules.map((rule) => `\`${rule}\``).join(' and ')} would find nothing in line ${covers}`;
  return { file, line, column, rule: id, severity, message, why, mend };
}

function compareFindings(left: Finding, right: Finding): number {
  return compareDiagnostics(
    { ...left, severity: 'warning', code: left.rule },
    { ...right, severity: 'warning', code: right.rule },
  );
}
