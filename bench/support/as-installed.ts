import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

export type Installed = {
  readonly main: string;
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};

/** revertd as the package and its systemd unit run it: JavaScript, with the flags and the environment that the unit gives to Node. */
export function asInstalled(): Installed {
  execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const unit = readFileSync(join(ROOT, 'systemd/revertd.service'), 'utf8');
  const command = /^ExecStart=\S+\/node (.*) \S+\/main\.js run /m.exec(unit)?.[1];
  if (command === undefined) throw new Error('systemd/revertd.service does not start Node as it used to');
  const pairs = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) => line.split(' '));
  return {
    main: join(ROOT, 'dist/main.js'),
    flags: command.split(' ').filter((flag) => !flag.startsWith('--disable-warning')),
    environment: Object.fromEntries(pairs.map((pair) => pair.split('=', 2))),
  };
}
