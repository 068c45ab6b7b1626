import { expect, test } from 'vitest';
import { aPoint, aSnapshot } from '../../../test/support/policies.ts';
import { pointNote, readPointNote } from './point-note.ts';

test('what a point is can be read where its file is brought to, the variants of its flags too', () => {
  const flags = { 'fast-path': 'on' };
  const point = aPoint(0, { targets: ['flags'], snapshots: [{ ...aSnapshot('flags', 0), type: 'flags', flags }] });
  const manifest = '0'.repeat(64);
  const text = pointNote({ ...point, snapshots: point.snapshots.map((one) => ({ ...one, manifest })) }, 'host-1');
  expect(readPointNote(text)).toMatchObject({ host: 'host-1', point: { id: point.id, snapshots: [{ flags }] } });
  expect(() => readPointNote(text.replace('"on"', '1'))).toThrow('makes no sense');
});
