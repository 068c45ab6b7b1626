import type { AllowList } from '../drivers/allow-list.ts';
import type { Allow } from '../policy/allow.ts';

/** The host's allow list as the policy loader asks it; the drivers apply the same list again before each effect. */
export function allowFor(list: AllowList): Allow {
  return {
    path: (path, use) => (use === 'write' ? list.mayWrite(path) : undefined),
    container: (container) => list.mayTouchContainer(container),
    unit: (unit) => list.mayTouchUnit(unit),
    command: ([program = '']) => list.mayRun(program),
    url: (url) => list.mayCall(url),
    server: (host, port) => list.mayConnect(host, port),
  };
}
