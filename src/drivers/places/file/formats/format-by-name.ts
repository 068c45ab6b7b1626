import { basename } from 'node:path';
import type { FileFormat } from '../../../../core/model/edit-file-step.ts';
import { envFormat } from '../../envFile/format.ts';
import type { TextFormat } from '../../text-format.ts';
import { jsonFormat } from './json.ts';
import { propertiesFormat } from './properties.ts';
import { formatOf } from './registry.ts';
import { tomlFormat } from './toml.ts';
import { yamlFormat } from './yaml.ts';

/** The format that a step names, or else the one that the file's name tells. Throws FormatError. */
export function formatByName(format: FileFormat, path: string): TextFormat {
  switch (format) {
    case 'auto':
      return /^\.env(?:\.|$)|\.env$/.test(basename(path)) ? envFormat : formatOf(path);
    case 'env':
      return envFormat;
    case 'json':
      return jsonFormat;
    case 'yaml':
      return yamlFormat;
    case 'toml':
      return tomlFormat;
    case 'properties':
      return propertiesFormat;
  }
}
