import type { ApprovalRule, GivenApproval } from '../model/approval.ts';

/** Who fills which slot: one person one slot, and as many slots as these people can fill together. */
export type Slots = {
  readonly filled: readonly { readonly role: string; readonly by: GivenApproval }[];
  /** By role, how many people are still missing; roles that are complete are left out. */
  readonly missing: Readonly<Record<string, number>>;
};

/** A largest matching of people to slots (augmenting paths), so that the order in which people agree does not matter. */
export function slotsOf(rule: Pick<ApprovalRule, 'roles'>, given: readonly GivenApproval[]): Slots {
  const slots = Object.entries(rule.roles).flatMap(([role, count]) => Array.from({ length: count }, () => role));
  const holders = new Map<number, GivenApproval>();
  const place = (person: GivenApproval, tried: Set<number>): boolean => {
    for (const [slot, role] of slots.entries()) {
      if (tried.has(slot) || !person.roles.includes(role)) continue;
      tried.add(slot);
      const holder = holders.get(slot);
      if (holder !== undefined && !place(holder, tried)) continue;
      holders.set(slot, person);
      return true;
    }
    return false;
  };
  const subjects = new Map(given.map((one) => [one.subject, one]));
  for (const person of subjects.values()) place(person, new Set());
  const filled = slots.flatMap((role, slot) => {
    const by = holders.get(slot);
    return by === undefined ? [] : [{ role, by }];
  });
  const open = slots.filter((_role, slot) => !holders.has(slot));
  const missing = Object.fromEntries(
    [...new Set(open)].map((role) => [role, open.filter((one) => one === role).length]),
  );
  return { filled, missing };
}

export function isComplete({ missing }: Slots): boolean {
  return Object.keys(missing).length === 0;
}

/** `1 engineering-manager, 2 dba`. */
export function describeRoles(roles: Readonly<Record<string, number>>): string {
  return Object.entries(roles)
    .map(([role, count]) => `${count} ${role}`)
    .join(', ');
}
