import type { Person } from '../core/model/approval.ts';
import type { HostConfig } from '../policy/host-config.ts';
import type { Caller } from './caller-proof.ts';

/**
 * Who a caller is for an approval. root is nobody in particular: whoever may become it could fill every slot. The same
 * goes for a caller who has not proved who they are.
 */
export function personOf(caller: Caller, roles: HostConfig['roles']): Person {
  const isPerson = caller.uid !== null && caller.uid !== 0;
  const held = Object.entries(roles).filter(
    ([, { users = [], groups = [] }]) =>
      users.includes(caller.name) || groups.some((group) => caller.groups.includes(group)),
  );
  return { name: caller.name, isPerson, roles: isPerson ? held.map(([role]) => role) : [] };
}
