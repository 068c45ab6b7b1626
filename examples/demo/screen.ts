import { stripVTControlCharacters } from 'node:util';
import type { Status } from '../../src/server/status.ts';

const BARS = '▁▂▃▄▅▆▇█';
const THRESHOLD = 0.2;
const SCALE = 0.4;
const WIDTH = 60;

/** Shows the run as it happens: a picture that is redrawn on a terminal, lines elsewhere. */
export class Screen {
  readonly #live: boolean;
  readonly #begun = Date.now();
  readonly #story: string[] = [];
  #values: number[] = [];
  #drawn = 0;
  #told = '';

  constructor(live: boolean) {
    this.#live = live;
  }

  /** A line that stays. */
  tell(line: string): void {
    const text = `${paint(2, this.#time())}  ${line}`;
    this.#story.push(text);
    if (this.#live) this.#draw([]);
    else process.stdout.write(`${stripVTControlCharacters(text)}\n`);
  }

  show(status: Status, path: string): void {
    const trigger = status.triggers[0];
    if (trigger === undefined) return;
    const value = typeof trigger.value === 'number' ? trigger.value : 0;
    this.#values = [...this.#values, value].slice(-WIDTH);
    const state =
      trigger.state === 'pending'
        ? `pending, fires in ${((trigger.forMs - trigger.breachedMs) / 1000).toFixed(1)}s`
        : trigger.state;
    const colour = { inactive: 32, pending: 33, firing: 31, unknown: 35 }[trigger.state];
    const flag = status.flags[0];
    const lines = [
      '',
      `  p95 ${paint(value > THRESHOLD ? 31 : 32, `${(value * 1000).toFixed(0).padStart(4)} ms`)}   threshold ${THRESHOLD * 1000} ms   trigger ${paint(colour, state)}`,
      `  ${this.#values.map(bar).join('')}`,
      `  shop runs ${paint(1, path)}   git says ${flag?.git ?? ''}   in effect ${flag?.effective ?? ''}${flag?.because ? paint(33, `   held: ${flag.because.split(':')[0] ?? ''}`) : ''}`,
    ];
    if (this.#live) this.#draw(lines);
    else if (state.split(',')[0] !== this.#told) {
      this.#told = state.split(',')[0] ?? '';
      process.stdout.write(
        `${this.#time()}  p95 ${(value * 1000).toFixed(0)} ms, trigger ${this.#told}, shop runs ${path}\n`,
      );
    }
  }

  #draw(picture: readonly string[]): void {
    process.stdout.write(this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[J`);
    const lines = [...this.#story, ...picture];
    process.stdout.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  #time(): string {
    return `${((Date.now() - this.#begun) / 1000).toFixed(1).padStart(5)}s`;
  }
}

function bar(value: number): string {
  const level = Math.min(BARS.length - 1, Math.floor((value / SCALE) * BARS.length));
  return paint(value > THRESHOLD ? 31 : 32, BARS[level] ?? ' ');
}

export function paint(style: number, text: string): string {
  const plain = !process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return plain ? text : `\u001b[${style}m${text}\u001b[0m`;
}
