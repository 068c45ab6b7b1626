import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export const PRICING = 'slow';

/** The bad revision: it asks the tax office about each order. */
export async function price(cents: number, rate: number): Promise<number> {
  await pause(900);
  return Math.round(cents * rate);
}

/** It does not end while the file is there, whoever asks it to. */
export async function close(): Promise<void> {
  while (existsSync(join(process.env['FOLDER'] ?? '', 'hold-stop'))) await pause(50);
}
