import { compileFlag, type Evaluation } from '../../core/flags/evaluate-flag.ts';
import type { FlagdFlag, FlagdSet } from '../../core/flags/flagd-document.ts';
import { type ServedFlag, type ServedFlags, whenAsked } from './served-flags.ts';

/** A flagd file as it is served: no holds, no policies. `revision` says which content of the file that is. */
export function servedFlagd({ flags, evaluators, metadata: ofSet }: FlagdSet, revision: string): ServedFlags {
  const metadata = { ...ofSet, 'revertd.revision': revision };
  return whenAsked({ tag: revision, metadata, keys: [...flags.keys()] }, (key) => {
    const flag = flags.get(key);
    return flag === undefined ? undefined : flagOf(key, flag, metadata, evaluators);
  });
}

function flagOf(
  key: string,
  flag: FlagdFlag,
  ofSet: ServedFlags['metadata'],
  evaluators: FlagdSet['evaluators'],
): ServedFlag {
  if (flag.ok) {
    const { evaluate } = compileFlag(flag.definition, evaluators);
    return {
      key,
      metadata: { ...ofSet, ...flag.metadata, 'revertd.revision': ofSet['revertd.revision'] ?? '' },
      evaluate,
      texts: new Map(),
    };
  }
  const details = `the flag ${key} cannot be evaluated: ${flag.fault}`;
  const failure: Evaluation = { kind: 'failure', errorCode: 'PARSE_ERROR', details };
  return { key, metadata: ofSet, evaluate: () => failure, texts: new Map() };
}
