import { describeContainerPlaces, describeContainerSteps } from '../support/container-suite.ts';
import { describeEngine } from '../support/engine-suite.ts';
import { startDocker, startPodman } from '../support/real-engines.ts';

for (const [name, start] of [
  ['Docker', startDocker],
  ['podman', startPodman],
] as const) {
  describeEngine(name, start);
  describeContainerSteps(name, start);
  describeContainerPlaces(name, start);
}
