import type { DocumentRef } from '../../core/model/flag.ts';
import type { JsonValue } from '../../core/model/step.ts';
import { envFormat } from './envFile/format.ts';
import { jsonFormat } from './file/formats/json.ts';

/** Whether what `read` gave for an entry is what writing `desired` gives. An entry that is absent matches nothing. */
export function matchesValue(kind: DocumentRef['kind'], observed: JsonValue | undefined, desired: JsonValue): boolean {
  switch (kind) {
    case 'envFile':
      return envFormat.matches(observed, desired);
    case 'file':
      return jsonFormat.matches(observed, desired);
  }
}
