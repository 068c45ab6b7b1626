import { describe, expect, it } from 'vitest';
import { targetLabels, withTargetLabels } from './target-labels.ts';

describe('the labels of a target', () => {
  it.each([
    ['http://127.0.0.1:9464/metrics', '127.0.0.1:9464'],
    ['http://db.test/metrics', 'db.test:80'],
    ['https://db.test/', 'db.test:443'],
    ['http://[::1]:9464/', '[::1]:9464'],
  ])('of %s have the instance %s', (url, instance) => {
    expect(targetLabels('app', new URL(url), {})).toEqual({ job: 'app', instance });
  });

  it('may be replaced by configured ones', () => {
    const labels = targetLabels('app', new URL('http://a:1/'), { job: 'other', zone: 'z', empty: '' });
    expect(labels).toEqual({ instance: 'a:1', job: 'other', zone: 'z' });
  });

  it.each([
    [
      { __name__: 'm', code: '200' },
      { __name__: 'm', code: '200', job: 'app' },
    ],
    [{ job: 'x' }, { exported_job: 'x', job: 'app' }],
    [
      { job: 'x', exported_job: 'y' },
      { exported_exported_job: 'x', exported_job: 'y', job: 'app' },
    ],
  ])('go before the exposed %j', (exposed, expected) => {
    expect(withTargetLabels(exposed, { job: 'app' })).toEqual(expected);
  });

  it('go before several at once', () => {
    const own = { job: 'app', exported_job: 'own' };
    expect(withTargetLabels({ job: 'x', exported_job: 'y' }, own)).toEqual({
      job: 'app',
      exported_job: 'own',
      exported_exported_job: 'x',
      exported_exported_exported_job: 'y',
    });
  });
});
