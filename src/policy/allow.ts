/**
 * What the host's owner lets policies touch. Each function gives the reason for a refusal, or undefined. An absent one
 * allows everything.
 */
export type Allow = {
  /** `write`: a flag's place. `read`: a secret, a certificate, a process number, a working folder, a compose file. */
  readonly path?: (path: string, use: 'read' | 'write') => string | undefined;
  /** A container's name, or the absolute path of a compose file. */
  readonly container?: (container: string) => string | undefined;
  readonly unit?: (unit: string) => string | undefined;
  readonly command?: (argv: readonly string[]) => string | undefined;
  readonly url?: (url: string) => string | undefined;
  readonly server?: (host: string, port: number) => string | undefined;
};
