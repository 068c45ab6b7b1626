import { join } from 'node:path';
import { type Figure, type Roots, readIfThere } from './figure.ts';

/** `some` tasks waited, or all (`full`) stalled. For the CPU as a whole the kernel's `full` means nothing. */
const WANTED = {
  cpu: { some: 'waiting' },
  io: { some: 'waiting', full: 'stalled' },
  memory: { some: 'waiting', full: 'stalled' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

/** Pressure stall information, in seconds since the boot; nothing from a kernel without it. */
export async function readPressure({ proc }: Roots): Promise<Figure[]> {
  const read = Object.entries(WANTED).map(async ([resource, words]) => {
    const text = (await readIfThere(join(proc, 'pressure', resource))) ?? '';
    return Object.entries(words).flatMap(([line, word]) => {
      const total = new RegExp(`^${line} .*\\btotal=(\\d+)`, 'm').exec(text)?.[1];
      const name = `node_pressure_${resource}_${word}_seconds_total`;
      return total === undefined ? [] : [{ name, value: Number(total) / 1e6 }];
    });
  });
  return (await Promise.all(read)).flat();
}
