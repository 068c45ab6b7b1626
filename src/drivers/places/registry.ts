import type { DocumentRef } from '../../core/model/flag.ts';
import type { AllowList } from '../allow-list.ts';
import { envFilePlace } from './envFile/index.ts';
import { filePlace } from './file/index.ts';
import type { PlaceDriver } from './place-driver.ts';

/** One driver per kind of document; the keys are the names of the folders beside this file. */
export const PLACE_DRIVERS = {
  envFile: envFilePlace,
  file: filePlace,
} satisfies Record<DocumentRef['kind'], (allow: AllowList) => PlaceDriver>;

export type PlaceDrivers = Readonly<Record<DocumentRef['kind'], PlaceDriver>>;

export function createPlaceDrivers(allow: AllowList): PlaceDrivers {
  return { envFile: PLACE_DRIVERS.envFile(allow), file: PLACE_DRIVERS.file(allow) };
}
