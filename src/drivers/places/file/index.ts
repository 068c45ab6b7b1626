import type { PlaceDriver } from '../place-driver.ts';
import { type PlaceHost, textPlace } from '../text-place.ts';
import { formatOf } from './formats/registry.ts';

/** Structured configuration files, by the format that their name tells. Entries are JSON pointers. */
export function filePlace(host: PlaceHost): PlaceDriver {
  return textPlace(host, formatOf);
}
