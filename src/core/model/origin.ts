/** Where in the policy repository something was said. Lines and columns count from 1. */
export type Origin = { readonly file: string; readonly line: number; readonly column: number };

export function formatOrigin(origin: Origin): string {
  return `${origin.file}:${origin.line}`;
}
