import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { PointDetail } from '../../src/server/point-status.ts';
import { E2eHost } from './e2e-host.ts';

export const POINT_TARGETS = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: settings }
spec: { files: { paths: ["\${host.folder}/settings"] } }
---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: database }
spec: { sqlite: { path: "\${host.folder}/app.db" } }
---
`;

const UNDER_WAY: readonly string[] = ['creating', 'capturing', 'stored', 'validating'];

/** A host with a folder of settings and a database that are captured into points. */
export class PointsHost extends E2eHost {
  constructor(policies: string) {
    super();
    mkdirSync(join(this.folder, 'settings'));
    this.changeSettings('mode=good\n');
    this.sql(
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL); INSERT INTO notes (text) VALUES ('kept')",
    );
    this.commit({ 'policies.yaml': `${POINT_TARGETS}${policies}` }, 'Keep points');
    this.writeConfig();
  }

  async started(): Promise<void> {
    await this.startDaemon();
    await this.untilStatus('policies are in force', ({ revision }) => revision !== null);
  }

  get settings(): string {
    return readFileSync(join(this.folder, 'settings/app.conf'), 'utf8');
  }

  changeSettings(content: string): void {
    writeFileSync(join(this.folder, 'settings/app.conf'), content);
  }

  sql(statement: string): void {
    const database = new DatabaseSync(join(this.folder, 'app.db'));
    database.exec(statement);
    database.close();
  }

  /** Takes a point, and waits until it is known what became of it. */
  async taken(body: object = { policy: 'data' }): Promise<PointDetail> {
    const { point } = await (await this.client()).post<{ point: string }>('points', body);
    return await this.until(`point ${point}`, async () => {
      const found = await (await this.client()).get<PointDetail>(`points/${point}`);
      return UNDER_WAY.includes(found.state) ? undefined : found;
    });
  }

  async revertd(...args: string[]): ReturnType<E2eHost['runCommand']> {
    return await this.runCommand(...args, '--config', this.config);
  }
}
