import type { PlaceDriver } from '../place-driver.ts';
import { type PlaceHost, textPlace } from '../text-place.ts';
import { envFormat } from './format.ts';

/** Environment files as systemd's `EnvironmentFile=` reads them. Entries are names of variables. */
export function envFilePlace(host: PlaceHost): PlaceDriver {
  return textPlace(host, () => envFormat);
}
