import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isHidden } from '../policy/policy-paths.ts';
import { CliError } from './exit-code.ts';

/**
 * The YAML files that paths name: files as they are named, of folders everything below that ends in `.yaml` or `.yml`,
 * drafts too. What begins with a dot, and what npm installed, is nobody's policy.
 */
export function yamlFilesIn(paths: readonly string[]): readonly string[] {
  const found = paths.flatMap((path) => (isFolder(path) ? below(path) : [path]));
  return [...new Set(found)];
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    throw new CliError(`there is no file or folder ${path}`, undefined, { cause });
  }
}

function below(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      if (isHidden(entry.name) || entry.name === 'node_modules') return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return below(path);
      return entry.isFile() && /\.ya?ml$/.test(entry.name) ? [path] : [];
    });
}
