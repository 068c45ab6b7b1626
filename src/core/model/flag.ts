import type { Origin } from './origin.ts';
import type { JsonValue, Step } from './step.ts';

export type Flag = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly state: 'ENABLED' | 'DISABLED';
  readonly variants: Readonly<Record<string, JsonValue>>;
  readonly defaultVariant: string;
  /** What a rollback sets. */
  readonly safeVariant?: string;
  /** A rule of JsonLogic that gives the name of a variant; null is the default. Applications that ask are served by it. */
  readonly targeting?: JsonValue;
  /** The rules that the targeting refers to, also by way of each other. */
  readonly evaluators?: Readonly<Record<string, JsonValue>>;
  /** Told with every evaluation. */
  readonly metadata?: FlagMetadata;
  /** Digest of variants, default, state and targeting with its evaluators: the flag changed in git exactly when this did. */
  readonly digest: string;
  readonly drift: 'repair' | 'report';
  readonly deliver: readonly FlagPlace[];
};

export type FlagMetadata = Readonly<Record<string, string | number | boolean>>;

/** Where a flag is written. Several flags may share one document, which is then written once. */
export type FlagPlace = {
  readonly origin: Origin;
  readonly document: DocumentRef;
  /** The environment variable's name, or a JSON pointer (RFC 6901). */
  readonly entry: string;
  /** The policy's `then`: what makes the new value effective; owed until it was done after the write. */
  readonly takeUp: readonly Step[];
};

/** A file of the host, or one inside of a container. */
export type DocumentRef = { readonly kind: 'envFile' | 'file'; readonly path: string; readonly container?: string };

/** As people and docker write it: `/etc/x.env`, or `mem0:/app/.env` inside of the container mem0. */
export function documentPath({ container, path }: DocumentRef): string {
  return container === undefined ? path : `${container}:${path}`;
}

/** Identity of a document among all: `envFile:/etc/x.env`, or `envFile:mem0:/app/.env` inside of the container mem0. */
export type DocumentKey = string;

export function documentKey(document: DocumentRef): DocumentKey {
  return `${document.kind}:${documentPath(document)}`;
}

/** Identity of one entry in one document. */
export type PlaceKey = string;

export function placeKey(place: Pick<FlagPlace, 'document' | 'entry'>): PlaceKey {
  return `${documentKey(place.document)}#${place.entry}`;
}
