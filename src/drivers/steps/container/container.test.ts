import { describeContainerPlaces, describeContainerSteps } from '../../../../test/support/container-suite.ts';
import { startFakeEngine } from '../../../../test/support/fake-engine.ts';

describeContainerSteps('a fake', startFakeEngine);
describeContainerPlaces('a fake', startFakeEngine);
