import type { EventSpec } from '../core/event.ts';
import type { Memory } from '../core/memory.ts';
import type { PolicySet } from '../core/model/desired.ts';
import type { PolicySnapshot, Revision } from '../core/model/revision.ts';
import type { Millis } from '../core/units.ts';
import { formatDiagnostic } from '../policy/format-diagnostic.ts';
import type { LoadResult } from '../policy/load.ts';
import type { PolicySource, Refusal, SourceReading } from '../source/policy-source.ts';
import { nextPollDelay } from '../source/poll-delay.ts';
import type { Store } from '../store/store.ts';

/** Loads one revision for this host. */
export type LoadForHost = (snapshot: PolicySnapshot) => LoadResult;

/** Puts policies in force, as this host follows them. */
export type Follow = (policies: PolicySet) => void;

export type FeedHost = {
  readonly source: PolicySource;
  readonly store: Store;
  readonly load: LoadForHost;
  readonly intervalMs: Millis;
  readonly now: () => Millis;
  readonly memory: () => Memory;
  readonly record: (actor: string, ...events: EventSpec[]) => void;
  readonly follow: Follow;
  readonly onFault: (error: unknown) => void;
};

/** How the policies stand, for `status`. */
export type FeedState = {
  readonly source: string;
  readonly inForce: Revision | null;
  readonly readAt: Millis | null;
  readonly trouble: FeedTrouble | null;
};

export type FeedTrouble = {
  readonly kind: 'refused' | 'unreachable';
  readonly code: string;
  readonly revision: Revision | null;
  readonly message: string;
  readonly diagnostics: readonly string[];
  readonly since: Millis;
};

/** Takes revisions whole or refuses them whole; the last good one stays in force until a better one is there. */
export class PolicyFeed {
  readonly #host: FeedHost;
  readonly #stopping = new AbortController();
  readonly #consented: Set<Revision>;
  #inForce: Revision | null = null;
  #readAt: Millis | null = null;
  #trouble: FeedTrouble | null = null;
  #failures = 0;
  #reading: Promise<void> | null = null;
  #hinted = false;
  #timer: NodeJS.Timeout | null = null;
  #unwatch: (() => Promise<void> | void) | null = null;

  constructor(host: FeedHost) {
    this.#host = host;
    const consents = host.store.events({ types: ['source.consented'] });
    this.#consented = new Set(
      consents.flatMap(({ event }) => (event.type === 'source.consented' ? event.revision : [])),
    );
  }

  get state(): FeedState {
    return {
      source: this.#host.source.describe(),
      inForce: this.#inForce,
      readAt: this.#readAt,
      trouble: this.#trouble,
    };
  }

  /** Puts the last good revision in force again, from the store, so that git need not be reachable. */
  restore(): void {
    const { revision } = this.#host.memory();
    const snapshot = revision === null ? undefined : this.#host.store.revision(revision);
    if (snapshot === undefined) return;
    const result = this.#host.load(snapshot);
    if (result.ok) {
      this.#inForce = snapshot.revision;
      this.#host.follow(result.desired);
    } else {
      // It was good when it was accepted; this host's configuration or this version reads it differently.
      this.#refuse('invalid', snapshot.revision, 'the revision in force does not load any more', result);
    }
  }

  start(): void {
    this.#unwatch = this.#host.source.watch?.(() => this.hint()) ?? null;
    this.hint();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('revertd stops'));
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#unwatch?.();
    await this.#reading;
  }

  /** There may be something new: it is read now, or again right after the reading under way. */
  hint(): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#reading !== null) {
      this.#hinted = true;
      return;
    }
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#reading = this.#readOnce().finally(() => {
      this.#reading = null;
      this.#schedule();
    });
  }

  /** A person accepts a revision although history was rewritten or the folder emptied. */
  consent(actor: string, revision: Revision): void {
    this.#consented.add(revision);
    this.#host.record(actor, { type: 'source.consented', revision });
    this.hint();
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted) return;
    const delay = this.#hinted ? 0 : nextPollDelay(this.#host.intervalMs, Math.random, this.#failures);
    this.#hinted = false;
    this.#timer = setTimeout(() => this.hint(), delay);
  }

  async #readOnce(): Promise<void> {
    const { signal } = this.#stopping;
    const accepted = this.#inForce ?? undefined;
    try {
      const reading = await this.#host.source.read({ accepted, consented: this.#consented }, signal);
      if (!signal.aborted) this.#take(reading);
    } catch (error) {
      if (!signal.aborted) this.#host.onFault(error);
    }
  }

  #take(reading: SourceReading): void {
    this.#readAt = this.#host.now();
    switch (reading.state) {
      case 'unchanged':
        this.#recovered();
        // What was refused is gone: git shows the revision in force again.
        this.#trouble = null;
        break;
      case 'changed':
        this.#recovered();
        this.#load(reading.snapshot);
        break;
      case 'refused':
        this.#failures = 0;
        this.#refuseReading(reading);
        break;
      case 'unreachable':
        this.#failures += 1;
        this.#unreachable(reading.code, reading.message);
    }
  }

  #load(snapshot: PolicySnapshot): void {
    // Each poll finds the faulty revision again, for it is not in force; its faults were told once.
    if (this.#trouble?.code === 'invalid' && this.#trouble.revision === snapshot.revision) return;
    const result = this.#host.load(snapshot);
    if (!result.ok) {
      const [first, ...more] = result.diagnostics.filter((one) => one.severity === 'error');
      // A journal is read where nobody has the policies at hand.
      const [fault = ''] = first === undefined ? [] : formatDiagnostic(first).split('\n');
      const message = more.length === 0 ? fault : `${more.length + 1} faults, the first: ${fault}`;
      this.#refuse('invalid', snapshot.revision, message, result);
      return;
    }
    this.#host.store.saveRevision(snapshot, this.#host.now());
    this.#host.record('git', {
      type: 'revision.accepted',
      revision: snapshot.revision,
      previous: this.#host.memory().revision,
      subject: snapshot.subject ?? null,
      author: snapshot.author ?? null,
      warnings: [
        ...(result.documents === 0 ? ['there is no policy here: is the folder right?'] : []),
        ...result.warnings.map((warning) => formatDiagnostic(warning)),
      ],
    });
    this.#inForce = snapshot.revision;
    this.#trouble = null;
    this.#host.follow(result.desired);
  }

  #refuse(code: string, revision: Revision, message: string, result: Extract<LoadResult, { ok: false }>): void {
    const diagnostics = result.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic));
    this.#noteRefusal({ code, revision, message, diagnostics });
  }

  #refuseReading({ code, revision, message }: Refusal): void {
    const known = this.#trouble;
    if (known?.kind === 'refused' && known.code === code && known.revision === (revision ?? null)) return;
    this.#noteRefusal({ code, revision: revision ?? null, message, diagnostics: [] });
  }

  #noteRefusal(refusal: Pick<FeedTrouble, 'code' | 'revision' | 'message' | 'diagnostics'>): void {
    this.#trouble = { kind: 'refused', ...refusal, since: this.#host.now() };
    this.#host.record('git', { type: 'revision.refused', ...refusal });
  }

  #unreachable(code: string, message: string): void {
    if (this.#trouble?.kind === 'unreachable' && this.#trouble.code === code) return;
    this.#trouble = { kind: 'unreachable', code, revision: null, message, diagnostics: [], since: this.#host.now() };
    this.#host.record('git', { type: 'source.unreachable', code, message });
  }

  #recovered(): void {
    this.#failures = 0;
    if (this.#trouble?.kind !== 'unreachable') return;
    this.#trouble = null;
    this.#host.record('git', { type: 'source.recovered' });
  }
}
