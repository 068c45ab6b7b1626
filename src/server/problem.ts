import { CommandError } from '../core/operator-commands.ts';

/** RFC 9457. `code` is stable; `detail` is for people. */
export type Problem = {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
};

export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(detail);
    this.status = status;
    this.code = code;
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Refused',
  413: 'Too large',
  500: 'Internal error',
  503: 'Not ready',
};

const COMMAND_STATUS = { notFound: 404, refused: 409, invalid: 400 } as const;

export function problemOf(error: unknown): Problem {
  if (error instanceof HttpProblem) return problem(error.status, error.code, error.message);
  if (error instanceof CommandError) return problem(COMMAND_STATUS[error.code], error.code, error.message);
  return problem(500, 'internal', 'revertd failed to answer; its log says why');
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail, code };
}
