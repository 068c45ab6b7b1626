import { createContainerEngine } from '../../src/drivers/containers/engine.ts';

/** The client of a host without a container engine. */
export const NO_ENGINE = createContainerEngine(['/run/revertd-test/no-engine.sock']);
