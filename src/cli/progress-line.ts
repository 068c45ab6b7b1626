import { formatBytes } from '../core/report/period-rows.ts';
import type { Terminal } from './terminal.ts';

type Progress = { readonly bytes: number; readonly files?: number; readonly total?: number };

const CLEAR = '\r\u001b[K';
const BAR_WIDTH = 24;

/** One line that says how far something is, on a terminal only; elsewhere nothing is shown. */
export class ProgressLine {
  readonly #isShown: boolean;
  readonly #write: (text: string) => void;

  constructor(
    { isTty }: Pick<Terminal, 'isTty'>,
    write: (text: string) => void = (text) => void process.stderr.write(text),
  ) {
    this.#isShown = isTty;
    this.#write = write;
  }

  show(what: string, progress: Progress | null): void {
    if (this.#isShown) this.#write(`${CLEAR}${progressText(what, progress)}`);
  }

  clear(): void {
    if (this.#isShown) this.#write(CLEAR);
  }
}

export function progressText(what: string, progress: Progress | null): string {
  if (progress === null) return what;
  const { bytes, files, total } = progress;
  const counted = `${formatBytes(bytes)}${files === undefined ? '' : `, ${files} files`}`;
  if (total === undefined || total === 0) return `${what} ${counted}`;
  const part = Math.min(1, bytes / total);
  const full = Math.round(part * BAR_WIDTH);
  return `${what} [${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}] ${Math.floor(part * 100)} % ${counted}`;
}
