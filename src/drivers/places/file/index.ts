import type { AllowList } from '../../allow-list.ts';
import type { PlaceDriver } from '../place-driver.ts';
import { textPlace } from '../text-place.ts';
import { formatOf } from './formats/registry.ts';

/** Structured configuration files, by the format that their name tells. Entries are JSON pointers. */
export function filePlace(allow: AllowList): PlaceDriver {
  return textPlace(allow, formatOf);
}
