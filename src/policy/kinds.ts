/** The kinds that this version loads. */
export const KINDS = [
  'MetricSource',
  'Target',
  'Flag',
  'RollbackPolicy',
  'Notifier',
  'Window',
  'PointPolicy',
  'Drill',
] as const;
export type Kind = (typeof KINDS)[number];

/** Tests of policies stand beside them; they say nothing about what is desired. */
export const TEST_KIND = 'PolicyTest';

export const API_VERSION = 'revertd.dev/v1';

export function isKind(word: unknown): word is Kind {
  return KINDS.some((kind) => kind === word);
}
