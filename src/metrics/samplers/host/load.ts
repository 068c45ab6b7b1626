import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure, Roots } from './figure.ts';

export async function readLoad({ proc }: Roots): Promise<Figure[]> {
  const [one, five, fifteen] = (await readFile(join(proc, 'loadavg'), 'utf8')).split(' ').map(Number);
  return [
    { name: 'node_load1', value: one ?? Number.NaN },
    { name: 'node_load5', value: five ?? Number.NaN },
    { name: 'node_load15', value: fifteen ?? Number.NaN },
  ];
}
