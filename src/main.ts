#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
import { readFileSync } from 'node:fs';

/** The oldest Node that has all of the embedded store, type stripping and `Promise.withResolvers`. */
const OLDEST_NODE = 24;

const [major = '0'] = process.versions.node.split('.');
if (Number(major) < OLDEST_NODE) {
  process.stderr.write(
    `revertd: needs Node ${OLDEST_NODE} or newer, this is ${process.versions.node}; ` +
      'from a checkout `npm run -s revertd -- …` uses the one that it brings along\n',
  );
  process.exitCode = 1;
} else {
  // Imported only now, so that an old Node can say what is wrong instead of failing to load.
  const { runCommandLine } = await import('./cli/program.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2), ownVersion());
}

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(Reflect.get(Object(manifest), 'version'));
}
