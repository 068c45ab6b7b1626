import type { Revision } from '../core/model/revision.ts';
import type { Allow } from './allow.ts';

export type LoadOptions = {
  readonly revision: Revision;
  /** The host's variables. Undefined where no host is known: `${host.NAME}` is taken as given, and documents of all hosts are kept. */
  readonly host: Readonly<Record<string, string>> | undefined;
  readonly hostLabels: Readonly<Record<string, string>>;
  readonly allow?: Allow;
  /** The roles that the host's configuration gives to somebody; undefined where no host is known. */
  readonly roles?: readonly string[];
};
