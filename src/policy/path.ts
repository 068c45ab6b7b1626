/** The way from a document's root to a value: keys and indexes. */
export type Path = readonly (string | number)[];

/** A JSON pointer (RFC 6901) as a path; indexes stay texts, which `stepInto` of a list takes as well. */
export function pathOfPointer(pointer: string): Path {
  if (pointer === '') return [];
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** As people write it: `spec.triggers[0].query`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (/^\d+$/.test(String(part))) text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}
