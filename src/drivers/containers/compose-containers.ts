import { resolve } from 'node:path';
import type { ComposeProject } from '../../core/model/container-step.ts';
import type { ContainerSummary } from './container-state.ts';

/**
 * Those of the containers that compose made for the file, of these services or of all. Compose labels each with the
 * project's folder, the files as they were given (relative ones too), the project's name and the service.
 */
export function containersOf(on: ComposeProject['on'], all: readonly ContainerSummary[]): readonly ContainerSummary[] {
  return all.filter(({ labels }) => {
    const label = (name: string) => labels[`com.docker.compose.${name}`] ?? '';
    if (label('oneoff').toLowerCase() === 'true') return false;
    if (on.services.length > 0 && !on.services.includes(label('service'))) return false;
    if (on.project !== undefined) return label('project') === on.project;
    const folder = label('project.working_dir');
    const files = label('project.config_files').split(',');
    return files.some((file) => resolve(folder, file) === on.file);
  });
}

/** The services that are named and have no container. */
export function missingServices(on: ComposeProject['on'], found: readonly ContainerSummary[]): readonly string[] {
  const there = new Set(found.map(({ labels }) => labels['com.docker.compose.service']));
  return on.services.filter((service) => !there.has(service));
}
