import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure, Roots } from './figure.ts';

/** Every line of /proc/meminfo: `node_memory_MemAvailable_bytes`, `node_memory_Active_anon_bytes`, `node_memory_HugePages_Total`. */
export async function readMemory({ proc }: Roots): Promise<Figure[]> {
  const text = await readFile(join(proc, 'meminfo'), 'utf8');
  return text.split('\n').flatMap((line) => {
    const [, key, amount, unit] = /^([^:]+):\s+(\d+)( kB)?\s*$/.exec(line) ?? [];
    if (key === undefined) return [];
    const name = `node_memory_${key.replace(/\((.*)\)/, '_$1')}`;
    return [
      unit === undefined ? { name, value: Number(amount) } : { name: `${name}_bytes`, value: Number(amount) * 1024 },
    ];
  });
}
