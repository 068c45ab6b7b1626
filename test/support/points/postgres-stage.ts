import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Snapshot } from '../../../src/core/model/point.ts';
import type { PostgresTarget } from '../../../src/core/model/target.ts';
import { type PostgresServer, psql } from '../postgres.ts';
import { CapturedStage } from './captured-stage.ts';

const PROGRAM = join(import.meta.dirname, 'restore-process.ts');

/** A database `app` with customers, their orders, and a note of each change that a trigger writes. */
export class PostgresStage {
  readonly server: PostgresServer;
  readonly stage: CapturedStage;

  private constructor(server: PostgresServer, stage: CapturedStage) {
    this.server = server;
    this.stage = stage;
  }

  static async open(server: PostgresServer, part: Partial<PostgresTarget> = {}): Promise<PostgresStage> {
    const stage = await CapturedStage.open((live) => {
      const file = join(live, 'dsn');
      writeFileSync(file, server.dsn('app'));
      return { kind: 'postgres', database: { kind: 'postgres', dsn: { file } }, schemas: [], tables: [], ...part };
    });
    psql(server.dsn(), 'DROP DATABASE IF EXISTS app WITH (FORCE)', 'CREATE DATABASE app');
    const made = new PostgresStage(server, stage);
    made.sql(
      'CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL)',
      `CREATE TABLE orders (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         customer integer NOT NULL REFERENCES customers ON DELETE CASCADE,
         cents integer NOT NULL CHECK (cents > 0),
         euros numeric GENERATED ALWAYS AS (cents / 100.0) STORED)`,
      'CREATE TABLE changes (what text)',
      `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
         $$BEGIN INSERT INTO public.changes VALUES (TG_OP); RETURN NULL; END$$`,
      "INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, 100) i",
      'INSERT INTO orders (customer, cents) SELECT i % 100 + 1, i FROM generate_series(1, 5000) i',
      'CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note()',
    );
    return made;
  }

  /** Runs statements in the database, and gives what they print. */
  sql(...statements: readonly string[]): string {
    return psql(this.server.dsn('app'), ...statements);
  }

  /** Restores in a process that kills itself at a boundary; gives the signal that ended it. */
  async restoreUntil(snapshot: Snapshot, boundary: string): Promise<NodeJS.Signals | null> {
    const texts = [JSON.stringify(this.stage.target), JSON.stringify(snapshot)];
    const args = ['--disable-warning=ExperimentalWarning', PROGRAM, this.stage.store.folder, ...texts, boundary];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await once(child, 'exit');
    return child.signalCode;
  }

  close(): void {
    this.stage.close();
  }
}
