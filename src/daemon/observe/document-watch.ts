import type { DocumentKey } from '../../core/model/flag.ts';
import type { JsonValue } from '../../core/model/step.ts';
import type { DocumentSight } from '../../core/observed.ts';
import type { Millis } from '../../core/units.ts';
import type { WantedDocument } from '../../core/wants.ts';
import type { PlaceDrivers } from '../../drivers/places/registry.ts';

/** A document is looked at again after so long, which is how drift is found. */
export const REREAD_MS: Millis = 5_000;
const READ_DEADLINE_MS: Millis = 10_000;

/** Keeps the newest sight of every wanted document. */
export class DocumentWatch {
  readonly #drivers: PlaceDrivers;
  readonly #now: () => Millis;
  readonly #onChange: () => void;
  #sights = new Map<DocumentKey, DocumentSight>();
  readonly #reading = new Map<DocumentKey, symbol>();

  /** `onChange` is called when a document shows something new, or was seen as late as somebody asked for. */
  constructor(drivers: PlaceDrivers, now: () => Millis, onChange: () => void) {
    this.#drivers = drivers;
    this.#now = now;
    this.#onChange = onChange;
  }

  get sights(): Readonly<Record<DocumentKey, DocumentSight>> {
    return Object.fromEntries(this.#sights);
  }

  /** Begins to read what is missing or too old. */
  refresh(wanted: readonly WantedDocument[]): void {
    const keys = new Set(wanted.map((document) => document.key));
    for (const key of this.#sights.keys()) if (!keys.has(key)) this.#sights.delete(key);
    for (const document of wanted) {
      if (this.#isDue(document) && !this.#reading.has(document.key)) void this.#read(document);
    }
  }

  /** Nothing that was seen or is being read counts any more: the clock by which it was seen has been set. */
  forget(): void {
    this.#sights.clear();
    this.#reading.clear();
  }

  /** What was seen before now, or is being read now, is out of date. */
  invalidate(key: DocumentKey): void {
    this.#sights.delete(key);
    this.#reading.delete(key);
  }

  #isDue(document: WantedDocument): boolean {
    const sight = this.#sights.get(document.key);
    if (sight === undefined || sight.at < document.freshAfter) return true;
    if (sight.kind === 'read' && !document.entries.every((entry) => sight.entries.includes(entry))) return true;
    return this.#now() - sight.at >= REREAD_MS;
  }

  async #read(document: WantedDocument): Promise<void> {
    const turn = Symbol(document.key);
    this.#reading.set(document.key, turn);
    const at = this.#now();
    const sight = await this.#look(document, at);
    if (this.#reading.get(document.key) !== turn) return;
    this.#reading.delete(document.key);
    const before = this.#sights.get(document.key);
    this.#sights.set(document.key, sight);
    if (isNews(before, sight) || (before?.at ?? Number.NEGATIVE_INFINITY) < document.freshAfter) this.#onChange();
  }

  async #look({ document, entries }: WantedDocument, at: Millis): Promise<DocumentSight> {
    const signal = AbortSignal.timeout(READ_DEADLINE_MS);
    const reading = await this.#drivers[document.kind].read(document, entries, signal);
    if (reading.state === 'unreadable') return { kind: 'unreadable', at, code: reading.code, message: reading.message };
    const values: Record<string, JsonValue> = {};
    for (const [entry, value] of Object.entries(reading.values)) if (value !== undefined) values[entry] = value;
    return { kind: 'read', at, exists: reading.exists, digest: reading.digest, entries, values };
  }
}

function isNews(before: DocumentSight | undefined, after: DocumentSight): boolean {
  if (before === undefined || before.kind !== after.kind) return true;
  if (before.kind === 'read' && after.kind === 'read') {
    return before.digest !== after.digest || before.entries.join('\n') !== after.entries.join('\n');
  }
  return before.kind === 'unreadable' && after.kind === 'unreadable' && before.message !== after.message;
}
