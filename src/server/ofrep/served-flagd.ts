import { compileFlag, type Evaluation } from '../../core/flags/evaluate-flag.ts';
import type { FlagdFlag, FlagdSet } from '../../core/flags/flagd-document.ts';
import type { ServedFlag, ServedFlags } from './served-flags.ts';

/** A flagd file as it is served: no holds, no policies. `revision` says which content of the file that is. */
export function servedFlagd({ flags, evaluators, metadata: ofSet }: FlagdSet, revision: string): ServedFlags {
  const metadata = { ...ofSet, 'revertd.revision': revision };
  const ready = new Map<string, ServedFlag>();
  return {
    tag: revision,
    metadata,
    keys: [...flags.keys()],
    find: (key) => {
      const known = ready.get(key);
      if (known !== undefined) return known;
      const flag = flags.get(key);
      if (flag === undefined) return undefined;
      const served = flagOf(key, flag, metadata, evaluators);
      ready.set(key, served);
      return served;
    },
  };
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
