import type { Point } from '../../core/model/point.ts';
import { explainSchemaError } from '../../policy/explain-schema-error.ts';
import { validatorOfFile } from '../../policy/schema-files.ts';
import { ContentError } from '../../store/content/content-error.ts';

/** What a point is wherever it is; the rest of it is about one host's dealings with it. */
export type NotedPoint = Omit<Point, 'state' | 'pinned' | 'failure' | 'verifiedAt' | 'verify' | 'pruned' | 'copies'>;

type PointNote = { readonly schemaVersion: 1; readonly host: string; readonly point: NotedPoint };

/** What stands in a point's file beside its content. */
export function pointNote(point: Point, host: string): string {
  const {
    state: _state,
    pinned: _pinned,
    failure: _failure,
    verifiedAt: _verifiedAt,
    verify: _verify,
    pruned: _pruned,
    copies: _copies,
    ...noted
  } = point;
  const note: PointNote = { schemaVersion: 1, host, point: noted };
  return `${JSON.stringify(note, null, 2)}\n`;
}

/** @throws {ContentError} `format` if that is none. */
export function readPointNote(text: string): PointNote {
  const validate = validatorOfFile<PointNote>('point-note.schema.json');
  const note = parsed(text);
  if (validate(note)) return note;
  const [first] = validate.errors ?? [];
  const why = first === undefined ? '' : `: ${explainSchemaError(first).message}`;
  throw new ContentError('format', `what the file says of its point makes no sense${why}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ContentError('format', 'what the file says of its point is no JSON', { cause: error });
  }
}
