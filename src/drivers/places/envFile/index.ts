import type { AllowList } from '../../allow-list.ts';
import type { PlaceDriver } from '../place-driver.ts';
import { textPlace } from '../text-place.ts';
import { envFormat } from './format.ts';

/** Environment files as systemd's `EnvironmentFile=` reads them. Entries are names of variables. */
export function envFilePlace(allow: AllowList): PlaceDriver {
  return textPlace(allow, () => envFormat);
}
