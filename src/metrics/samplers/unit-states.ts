/** The states that node_exporter's systemd collector knows. */
const STATES = ['activating', 'active', 'deactivating', 'failed', 'inactive'] as const;

export type UnitStateFigure = {
  readonly name: string;
  readonly labels: { readonly name: string; readonly state: string; readonly type: string };
  readonly value: 0 | 1;
};

/** `node_systemd_unit_state`: 1 for the state that the unit is in, 0 for the others. `type` is the service's `Type=`. */
export function unitStates(name: string, activeState: string, type: string): UnitStateFigure[] {
  // A unit that reloads goes on with its work meanwhile.
  const now = activeState === 'reloading' ? 'active' : activeState;
  return STATES.map((state) => ({
    name: 'node_systemd_unit_state',
    labels: { name, state, type },
    value: state === now ? 1 : 0,
  }));
}
