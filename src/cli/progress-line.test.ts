import { expect, test } from 'vitest';
import { ProgressLine, progressText } from './progress-line.ts';

test.each([
  [null, 'capturing'],
  [{ bytes: 2048, files: 3 }, 'capturing 2.0 KiB, 3 files'],
  [{ bytes: 512, total: 1024 }, 'capturing [############............] 50 % 512 B'],
  [{ bytes: 4096, total: 1024 }, 'capturing [########################] 100 % 4.0 KiB'],
])('%j is shown as %s', (progress, text) => {
  expect(progressText('capturing', progress)).toBe(text);
});

test('the line is drawn over itself on a terminal, and nowhere else', () => {
  const written: string[] = [];
  for (const isTty of [true, false]) {
    const line = new ProgressLine({ isTty }, (text) => written.push(text));
    line.show('reading', null);
    line.clear();
  }
  expect(written).toEqual(['\r\u001b[Kreading', '\r\u001b[K']);
});
