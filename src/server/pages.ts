import type { HostView } from './host-view.ts';
import { openApiDocument } from './openapi.ts';
import { pointDiffPage } from './point-diff-page.ts';

const POINT_DIFF = /^\/points\/(?<point>[^/]+)\/diff$/;

export type Page = { readonly type: string; readonly body: string };

/** What is read beside the API, by whoever may read that; undefined if there is nothing at this address. @throws CommandError */
export async function pageOf(view: HostView, url: URL): Promise<Page | undefined> {
  if (url.pathname === '/openapi.json') {
    return { type: 'application/json', body: `${JSON.stringify(openApiDocument(view.version))}\n` };
  }
  const { point } = POINT_DIFF.exec(url.pathname)?.groups ?? {};
  if (point === undefined) return undefined;
  const target = url.searchParams.get('target');
  const request = { point: decodeURIComponent(point), with: url.searchParams.get('with') ?? 'live' };
  const diff = await view.diffPoint(target === null ? request : { ...request, target });
  return { type: 'text/html; charset=utf-8', body: pointDiffPage(diff, view.now()) };
}
