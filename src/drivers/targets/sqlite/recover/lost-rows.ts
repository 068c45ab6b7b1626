import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { quoted } from '../row-condition.ts';
import type { FoundRow } from './tree-pages.ts';

const NAME = 'lost_and_found';
/** Beside its own columns; SQLite's limit for a table is 2000. */
const MOST_CELLS = 1_900;

/** A table for rows of which nobody knows whose they are, arranged as SQLite's `.recover` does. It is made with the first. */
export class LostRows {
  readonly #database: DatabaseSync;
  #table: string | undefined;
  #width = 0;
  readonly #inserts = new Map<number, StatementSync>();
  count = 0;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** `root`: where the tree of its table begins; null where that is not known. */
  put(root: number | null, { page, rowid, values }: FoundRow): void {
    const cells = values.slice(0, MOST_CELLS);
    this.#insertOf(cells.length).run(root, page, values.length, rowid, ...cells);
    this.count += 1;
  }

  #insertOf(width: number): StatementSync {
    const known = this.#inserts.get(width);
    if (known !== undefined) return known;
    const table = this.#widened(width);
    const places = Array.from<SQLInputValue, string>({ length: width + 4 }, () => '?').join(', ');
    const columns = ['rootpgno', 'pgno', 'nfield', 'id', ...cellNames(0, width)].join(', ');
    const insert = this.#database.prepare(`INSERT INTO main.${table} (${columns}) VALUES (${places})`);
    this.#inserts.set(width, insert);
    return insert;
  }

  #widened(width: number): string {
    if (this.#table === undefined) {
      this.#table = this.#freeName();
      this.#database.exec(
        `CREATE TABLE main.${this.#table} (rootpgno INTEGER, pgno INTEGER, nfield INTEGER, id INTEGER)`,
      );
    }
    for (const cell of cellNames(this.#width, width)) {
      this.#database.exec(`ALTER TABLE main.${this.#table} ADD COLUMN ${cell}`);
    }
    this.#width = Math.max(this.#width, width);
    return this.#table;
  }

  #freeName(): string {
    const find = this.#database.prepare('SELECT 1 FROM main.sqlite_schema WHERE lower(name) = ?');
    let name = NAME;
    for (let number = 0; find.get(name) !== undefined; number += 1) name = `${NAME}_${number}`;
    return quoted(name);
  }
}

function cellNames(from: number, to: number): readonly string[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => `c${from + index}`);
}
