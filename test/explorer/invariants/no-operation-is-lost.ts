import type { Invariant } from './invariant.ts';

/** What is planned or running in memory is what the executor works on: nothing else would ever end. */
export const NO_OPERATION_IS_LOST: Invariant = {
  name: 'no-operation-is-lost',
  statement: 'No operation stays running for ever.',
  per: 'transition',
  violation: ({ after }) => {
    const running = new Set(after.host.running.map(({ id }) => id));
    const lost = Object.keys(after.memory.operations).find((id) => !running.has(id));
    if (lost !== undefined) return `${lost} is under way in memory, and nobody works on it`;
    const stray = after.host.running.find(({ id }) => !Object.hasOwn(after.memory.operations, id));
    return stray === undefined ? null : `${stray.id} is worked on, and memory knows nothing of it`;
  },
};
