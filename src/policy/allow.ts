/**
 * What the host's owner lets policies touch. Each function gives the reason for a refusal, or undefined. An absent one
 * allows everything.
 */
export type Allow = {
  /** `write`: a flag's place. `read`: a secret, a certificate, a process number, a working folder. */
  readonly path?: (path: string, use: 'read' | 'write') => string | undefined;
  readonly unit?: (unit: string) => string | undefined;
  readonly command?: (argv: readonly string[]) => string | undefined;
  readonly url?: (url: string) => string | undefined;
};
