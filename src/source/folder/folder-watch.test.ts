import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { debounce } from './folder-watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a burst ends in one call, 50 ms after its last event', () => {
  const called = vi.fn<() => void>();
  const { trigger } = debounce(called, 50, 1000);
  for (let i = 0; i < 5; i += 1) {
    trigger();
    vi.advanceTimersByTime(40);
  }
  expect(called).not.toHaveBeenCalled();
  vi.advanceTimersByTime(10);
  expect(called).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(5000);
  expect(called).toHaveBeenCalledTimes(1);
});

test('events that never end are answered once a second', () => {
  const called = vi.fn<() => void>();
  const { trigger, cancel } = debounce(called, 50, 1000);
  for (let at = 0; at < 3000; at += 25) {
    trigger();
    vi.advanceTimersByTime(25);
  }
  expect(called.mock.calls.length).toBeGreaterThanOrEqual(2);
  cancel();
  called.mockClear();
  vi.advanceTimersByTime(5000);
  expect(called).not.toHaveBeenCalled();
});
