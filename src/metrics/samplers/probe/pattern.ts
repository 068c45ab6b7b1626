import { RE2JS } from 're2js';
import { HttpFault } from '../../http/http-fault.ts';

/** An RE2 expression; the fault, if it is none, names the option that it stands in. */
export function compilePattern(option: string, expression: string | undefined): RE2JS | undefined | HttpFault {
  try {
    return expression === undefined ? undefined : RE2JS.compile(expression);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new HttpFault('bad_pattern', `${option} is not an RE2 expression: ${why}`, { cause: error });
  }
}
