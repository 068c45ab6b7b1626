import type { Status, TriggerStatus } from '../../src/server/status.ts';

const BARS = '▁▂▃▄▅▆▇█';
const THRESHOLD = 0.2;
const SCALE = 0.4;
const WIDTH = 60;

/** Shows the run as it happens: a picture that is redrawn on a terminal, lines elsewhere. */
export class Screen {
  readonly #live: boolean;
  readonly #begun = Date.now();
  #values: number[] = [];
  #picture: readonly string[] = [];
  #told = '';

  constructor(live: boolean) {
    this.#live = live;
  }

  /** A line that stays, above the picture. */
  tell(line: string): void {
    this.#erase();
    process.stdout.write(`${paint(2, this.#time())}  ${line}\n`);
    this.#draw(this.#picture);
  }

  show(status: Status, path: string): void {
    const trigger = status.triggers[0];
    if (trigger === undefined) return;
    const value = typeof trigger.value === 'number' ? trigger.value : 0;
    this.#values = [...this.#values, value].slice(-WIDTH);
    if (this.#live) this.#redraw(pictureOf(status, trigger, value, this.#values, path));
    else if (trigger.state !== this.#told) {
      this.#told = trigger.state;
      const text = `p95 ${(value * 1000).toFixed(0)} ms, trigger ${trigger.state}, shop runs ${path}`;
      process.stdout.write(`${this.#time()}  ${text}\n`);
    }
  }

  #redraw(picture: readonly string[]): void {
    this.#erase();
    this.#draw(picture);
  }

  #erase(): void {
    if (this.#picture.length > 0) process.stdout.write(`\u001b[${this.#picture.length}A\u001b[J`);
  }

  #draw(picture: readonly string[]): void {
    this.#picture = picture;
    if (picture.length > 0) process.stdout.write(`${picture.join('\n')}\n`);
  }

  #time(): string {
    return `${((Date.now() - this.#begun) / 1000).toFixed(1).padStart(5)}s`;
  }
}

const STATE_COLOURS = { inactive: 32, pending: 33, firing: 31, unknown: 35 } as const;

/** Four lines, each shorter than eighty columns, so that none wraps. */
function pictureOf(
  status: Status,
  trigger: TriggerStatus,
  value: number,
  values: readonly number[],
  path: string,
): string[] {
  const left = ((trigger.forMs - trigger.breachedMs) / 1000).toFixed(1);
  const state = trigger.state === 'pending' ? `pending, fires in ${left}s` : trigger.state;
  const reading = paint(value > THRESHOLD ? 31 : 32, `${(value * 1000).toFixed(0).padStart(4)} ms`);
  const flag = status.flags[0];
  const held = flag?.because === null || flag === undefined ? '' : paint(33, '   held by a latch');
  return [
    '',
    `  p95 ${reading}   threshold ${THRESHOLD * 1000} ms   ${paint(STATE_COLOURS[trigger.state], state)}`,
    `  ${values.map(bar).join('')}`,
    `  shop runs ${paint(1, path)}   git says ${flag?.git ?? ''}   in effect ${flag?.effective ?? ''}${held}`,
  ];
}

function bar(value: number): string {
  const level = Math.min(BARS.length - 1, Math.floor((value / SCALE) * BARS.length));
  return paint(value > THRESHOLD ? 31 : 32, BARS[level] ?? ' ');
}

export function paint(style: number, text: string): string {
  const plain = !process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
  return plain ? text : `\u001b[${style}m${text}\u001b[0m`;
}
