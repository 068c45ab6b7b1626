import { createHash } from 'node:crypto';
import type { DeliverAction } from '../core/model/action.ts';
import { type DocumentKey, documentKey, documentPath } from '../core/model/flag.ts';
import type { JsonValue } from '../core/model/step.ts';
import type { DocumentSight } from '../core/observed.ts';
import { placesOf, shownAs } from '../core/places/flag-places.ts';
import { isSame } from '../core/record.ts';
import type { Millis } from '../core/units.ts';
import type { WantedDocument } from '../core/wants.ts';
import type { PolicyTest } from './policy-test.ts';
import type { DocumentValues } from './raw-test.ts';

/** The documents of a virtual host: by path, what each entry shows. */
export class VirtualDocuments {
  readonly #values = new Map<string, Map<string, JsonValue>>();

  /** They show what git wants, except where the test says otherwise. */
  constructor({ desired, flags, documents }: Pick<PolicyTest, 'desired' | 'flags' | 'documents'>) {
    for (const flag of Object.values(desired.flags)) {
      const variant = flags[flag.name];
      for (const { place, value } of placesOf(flag, { holds: {} })) {
        const chosen = variant === undefined ? value : shownAs(place.document, flag.variants[variant] ?? null);
        this.#entriesOf(documentPath(place.document)).set(place.entry, chosen);
      }
    }
    this.edit(documents);
  }

  /** Somebody writes these entries; null takes one away. */
  edit(documents: DocumentValues): void {
    for (const [path, entries] of Object.entries(documents)) {
      for (const [entry, value] of Object.entries(entries)) {
        if (value === null) this.#entriesOf(path).delete(entry);
        else this.#entriesOf(path).set(entry, value);
      }
    }
  }

  valueOf(path: string, entry: string): JsonValue {
    return this.#values.get(path)?.get(entry) ?? null;
  }

  look({ document, entries }: WantedDocument, at: Millis): DocumentSight {
    const values = this.#values.get(documentPath(document));
    const shown = Object.fromEntries(values ?? []);
    return { kind: 'read', at, exists: values !== undefined, digest: digestOf(shown), entries, values: shown };
  }

  /** Answers the digest of what was written. */
  write({ document, changes }: DeliverAction): string {
    for (const change of changes) this.#entriesOf(documentPath(document)).set(change.entry, change.after);
    return digestOf(Object.fromEntries(this.#entriesOf(documentPath(document))));
  }

  /** The digest if the document shows what was to be written, else undefined. */
  shows({ document, changes }: DeliverAction): string | undefined {
    const values = this.#values.get(documentPath(document));
    const shown = changes.every(({ entry, after }) => isSame(values?.get(entry), after));
    return shown ? digestOf(Object.fromEntries(values ?? [])) : undefined;
  }

  #entriesOf(path: string): Map<string, JsonValue> {
    const known = this.#values.get(path) ?? new Map<string, JsonValue>();
    this.#values.set(path, known);
    return known;
  }
}

export function sightsOf(
  documents: VirtualDocuments,
  wanted: readonly WantedDocument[],
  at: Millis,
): Record<DocumentKey, DocumentSight> {
  return Object.fromEntries(wanted.map((one) => [documentKey(one.document), documents.look(one, at)]));
}

function digestOf(shown: Readonly<Record<string, JsonValue>>): string {
  return createHash('sha256').update(JSON.stringify(shown)).digest('hex');
}
