import type { DocumentRef } from '../../core/model/flag.ts';
import { envFilePlace } from './envFile/index.ts';
import { filePlace } from './file/index.ts';
import type { PlaceDriver } from './place-driver.ts';
import type { PlaceHost } from './text-place.ts';

/** One driver per kind of document; the keys are the names of the folders beside this file. */
export const PLACE_DRIVERS = {
  envFile: envFilePlace,
  file: filePlace,
} satisfies Record<DocumentRef['kind'], (host: PlaceHost) => PlaceDriver>;

export type PlaceDrivers = Readonly<Record<DocumentRef['kind'], PlaceDriver>>;

export function createPlaceDrivers(host: PlaceHost): PlaceDrivers {
  return { envFile: PLACE_DRIVERS.envFile(host), file: PLACE_DRIVERS.file(host) };
}
