import type { HostView } from './host-view.ts';
import { pointDiffPage } from './point-diff-page.ts';

const POINT_DIFF = /^\/points\/(?<point>[^/]+)\/diff$/;

/** A page for people at this address, undefined if there is none; what it needs is as for the API's. @throws CommandError */
export async function pageOf(view: HostView, url: URL): Promise<string | undefined> {
  const { point } = POINT_DIFF.exec(url.pathname)?.groups ?? {};
  if (point === undefined) return undefined;
  const target = url.searchParams.get('target');
  const request = { point: decodeURIComponent(point), with: url.searchParams.get('with') ?? 'live' };
  return pointDiffPage(await view.diffPoint(target === null ? request : { ...request, target }), view.now());
}
