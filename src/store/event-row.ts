import type { Event } from '../core/event.ts';
import { parseJson, type Row, textOf } from './database.ts';

/** The event of a row of the log. */
export function eventOf(row: Row): Event {
  return { at: Number(row['at']), type: textOf(row['type']), ...parseJson<object>(textOf(row['data'])) } as Event;
}
