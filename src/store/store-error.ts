/** Who holds the store, as far as the holder said. */
export type LockHolder = { readonly pid: number; readonly host: string; readonly since: string };

/** A fault of the store. `code` is stable; the message says what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'locked' | 'unusable' | 'newer';
  readonly holder: LockHolder | null;

  constructor(
    code: StoreError['code'],
    message: string,
    options: { cause?: unknown; holder?: LockHolder | null } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.holder = options.holder ?? null;
  }
}
