import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Strategy } from '../../../src/core/merge/conflict.ts';
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { Target, TargetType } from '../../../src/core/model/target.ts';
import { createAllowList } from '../../../src/drivers/allow-list.ts';
import type {
  CaptureContext,
  CapturedDriver,
  PointContext,
  TargetDiff,
} from '../../../src/drivers/targets/captured-target.ts';
import { createTargetDrivers } from '../../../src/drivers/targets/registry.ts';
import type {
  MergeOrder,
  RestoreContext,
  TargetDriver,
  TargetOrder,
} from '../../../src/drivers/targets/target-driver.ts';
import {
  type ContentStore,
  type ContentStoreOptions,
  openContentStore,
} from '../../../src/store/content/content-store.ts';
import { aTarget } from '../policies.ts';

/** A folder for a target, a content store beside it, and what core would do around the driver. */
export class CapturedStage {
  readonly folder: string;
  readonly live: string;
  readonly target: Target;
  readonly driver: TargetDriver;
  store: ContentStore;
  readonly logged: string[] = [];
  readonly performed: string[] = [];
  #captures = 0;

  private constructor(folder: string, target: Target, store: ContentStore) {
    this.folder = folder;
    this.live = join(folder, 'live');
    this.target = target;
    this.driver = createTargetDrivers(createAllowList({}))[target.type.kind];
    this.store = store;
  }

  static async open(
    typeOf: (live: string) => TargetType,
    options: Partial<ContentStoreOptions> & {
      readonly target?: Partial<Target>;
      readonly at?: never;
      readonly within?: string;
    } = {},
  ): Promise<CapturedStage> {
    const folder = mkdtempSync(join(options.within ?? tmpdir(), 'revertd-captured-'));
    mkdirSync(join(folder, 'live'));
    const { target, within: _within, ...store } = options;
    const opened = await openContentStore(join(folder, 'points'), { compression: 'zstd', ...store });
    const type = typeOf(join(folder, 'live'));
    const whole = {
      name: 'target',
      origin: aTarget().origin,
      suspend: false,
      quiesce: [],
      checks: [],
      ...target,
      type,
    };
    return new CapturedStage(folder, whole, opened);
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  get points(): CapturedDriver {
    const { points } = this.driver;
    if (points === undefined) throw new Error(`${this.target.type.kind} has no points`);
    return points;
  }

  pointContext(change: Partial<PointContext> = {}): PointContext {
    return { signal: new AbortController().signal, store: this.store, progress: () => undefined, ...change };
  }

  captureContext(change: Partial<CaptureContext> = {}): CaptureContext {
    this.#captures += 1;
    const operation = `capture:${this.#captures}`;
    const log = (line: string) => void this.logged.push(line);
    return { ...this.pointContext(), operation, now: () => 1_000, log, ...change };
  }

  restoreContext(change: Partial<RestoreContext> = {}): RestoreContext {
    return {
      signal: new AbortController().signal,
      operation: 'restore:1',
      log: (line) => void this.logged.push(line),
      perform: async (step) => {
        this.performed.push(step.kind);
        return await Promise.resolve({ outcome: 'done', detail: '' });
      },
      store: this.store,
      ...change,
    };
  }

  /** Captures it, as after the point is in the log. */
  async capture(change: Partial<CaptureContext> = {}): Promise<Snapshot & { readonly detail: string }> {
    const context = this.captureContext(change);
    const outcome = await this.points.capture(this.target, context);
    if (outcome.outcome === 'failed') throw new Error(`not captured: ${outcome.detail}`);
    context.store.release(context.operation);
    return { ...outcome.snapshot, target: this.target.name, type: this.target.type.kind, detail: outcome.detail };
  }

  async restore(snapshot: Snapshot, paths: readonly string[] = [], change: Partial<RestoreContext> = {}) {
    return await this.driver.restore(
      { target: this.target, to: 'point', paths, snapshot },
      this.restoreContext(change),
    );
  }

  /** Merges what the snapshot has otherwise than the ancestor. */
  async merge(
    snapshot: Snapshot,
    ancestor: Snapshot,
    conflicts: Strategy,
    more: Partial<Pick<TargetOrder, 'rows' | 'paths'> & Pick<MergeOrder, 'decisions'> & RestoreContext> = {},
  ) {
    const { rows, decisions, paths = [], ...context } = more;
    const merge = { conflicts, ancestor, ...(decisions === undefined ? {} : { decisions }) };
    const order = { target: this.target, to: 'point', paths, snapshot, merge };
    const rowsOnly = rows === undefined ? {} : { rows };
    return await this.driver.restore({ ...order, ...rowsOnly }, this.restoreContext(context));
  }

  /** Puts back only these rows of a database. */
  async restoreRows(snapshot: Snapshot, tables: readonly string[], keys: readonly string[] = []) {
    const order = { target: this.target, to: 'point', paths: [], rows: { tables, keys }, snapshot };
    return await this.driver.restore(order, this.restoreContext());
  }

  async observeRows(snapshot: Snapshot, tables: readonly string[], keys: readonly string[] = []) {
    const order = { target: this.target, to: 'point', paths: [], rows: { tables, keys }, snapshot };
    return await this.driver.observe(order, new AbortController().signal, this.store);
  }

  async observe(snapshot: Snapshot, paths: readonly string[] = []) {
    const order = { target: this.target, to: 'point', paths, snapshot };
    return await this.driver.observe(order, new AbortController().signal, this.store);
  }

  async diff(from: Snapshot, to: Snapshot | 'live' = 'live', change: Partial<PointContext> = {}): Promise<TargetDiff> {
    return await this.points.diff(this.target, from, to, this.pointContext(change));
  }

  /** What revertd itself has left below the live folder. */
  remains(): string[] {
    return readdirSync(this.live, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.revertd-'));
  }

  /** Where the content of the store lies. */
  blobs(): string[] {
    return readdirSync(join(this.store.folder, 'blobs'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
  }
}

export function totals({ groups }: TargetDiff) {
  const sum = (key: 'added' | 'removed' | 'changed') => groups.reduce((all, group) => all + group[key], 0);
  return { added: sum('added'), removed: sum('removed'), changed: sum('changed') };
}
