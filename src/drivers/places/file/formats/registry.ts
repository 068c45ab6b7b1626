import { extname } from 'node:path';
import { FormatError, type TextFormat } from '../../text-format.ts';
import { jsonFormat } from './json.ts';
import { propertiesFormat } from './properties.ts';
import { tomlFormat } from './toml.ts';
import { yamlFormat } from './yaml.ts';

/** By the endings of the names of files. Adding a format touches its own file and these lines. */
const FORMATS: Readonly<Record<string, TextFormat>> = {
  '.json': jsonFormat,
  '.jsonc': jsonFormat,
  '.yaml': yamlFormat,
  '.yml': yamlFormat,
  '.toml': tomlFormat,
  '.properties': propertiesFormat,
};

/** The format of the file, by its name alone, so that it is known before the file exists. */
export function formatOf(path: string): TextFormat {
  const ending = extname(path).toLowerCase();
  const format = Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined;
  if (format !== undefined) return format;
  const known = Object.keys(FORMATS).join(', ');
  const found = ending === '' ? 'a name without an ending' : ending;
  throw new FormatError('formatNotSupported', `has ${found}; files are written whose names end in ${known}`);
}
