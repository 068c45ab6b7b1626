import { describe, expect, it } from 'vitest';
import { createAllowList } from './allow-list.ts';

describe('without rules', () => {
  const everything = createAllowList({ ownFolders: ['/var/lib/revertd/'] });

  it.each(['/etc/app.env', '/etc/app/x.json', '/srv/dev/x', '/etc/systemd/system/x.service', '/tmp/..a'])(
    'may write %s',
    (path) => expect(everything.mayWrite(path)).toBeUndefined(),
  );

  it.each([
    '/etc/shadow',
    '/etc/shadow-',
    '/etc/passwd',
    '/etc/group',
    '/etc/sudoers',
    '/etc/sudoers.d/x',
    '/etc/pam.d/sshd',
    '/etc/ssh/sshd_config',
    '/etc/ld.so.preload',
    '/etc/cron.d/x',
    '/etc/crontab',
    '/root/.ssh/authorized_keys',
    '/home/a/.ssh/authorized_keys',
    '/proc/sys/kernel/core_pattern',
    '/sys/power/state',
    '/dev/sda',
    '/boot/x',
    '/etc/revertd/config.yaml',
    '/var/lib/revertd/log.db',
    '/var/lib/revertd',
  ])('never writes %s', (path) => expect(everything.mayWrite(path)).toContain('is never written for a policy'));

  it.each(['x', './x', '../x', '/etc/../etc/shadow', '/etc/./x', '/etc//shadow', '/etc/x/', '/', '/etc/a\0b', ''])(
    'refuses the path %j',
    (path) => expect(everything.mayWrite(path)).toContain('is not an absolute path'),
  );

  it('may run any program, unless its path depends on where it is run', () => {
    expect(everything.mayRun('npm')).toBeUndefined();
    expect(everything.mayRun('/opt/x/deploy')).toBeUndefined();
    expect(everything.mayRun('./deploy')).toContain('neither an absolute path nor a plain name');
    expect(everything.mayRun('')).toContain('no name');
  });

  it('may touch any unit but its own', () => {
    expect(everything.mayTouchUnit('app@1.service')).toBeUndefined();
    expect(everything.mayTouchUnit('revertd.service')).toContain('is revertd itself');
    expect(everything.mayTouchUnit('--all')).toContain('is not the name of a systemd unit');
    expect(everything.mayTouchUnit('a b')).toContain('is not the name of a systemd unit');
    expect(everything.mayTouchUnit('*')).toContain('is not the name of a systemd unit');
  });

  it('may touch any container, and any compose file by its absolute path', () => {
    expect(everything.mayTouchContainer('openmemory-mcp')).toBeUndefined();
    expect(everything.mayTouchContainer('/srv/app/compose.yaml')).toBeUndefined();
    for (const name of ['--all', '', 'a b', 'a/b', './compose.yaml', '/srv/../etc/x.yaml', 'a\0b']) {
      expect(everything.mayTouchContainer(name)).toContain('is neither the name of a container nor the absolute path');
    }
  });

  it('may call any server by http or https', () => {
    expect(everything.mayCall('http://127.0.0.1:8080/x')).toBeUndefined();
    expect(everything.mayCall('https://example.com')).toBeUndefined();
    expect(everything.mayCall('file:///etc/shadow')).toContain('is not http: or https:');
    expect(everything.mayCall('/x')).toContain('is not an absolute URL');
    const refused = everything.mayCall('http://user:hunter2@example.com/');
    expect(refused).toContain('user name or password');
    expect(refused).not.toContain('hunter2');
  });
});

describe('with rules', () => {
  const some = createAllowList({
    paths: ['/etc/app', '/srv/*/flags.json', '/opt/**/x.env', '/etc/shadow'],
    units: ['app-*.service', 'db.service'],
    containers: ['mem0*', 'neo4j', '/srv/mem0/*.yml'],
    commands: ['/usr/bin/npm', 'git'],
    hosts: ['127.0.0.1:8080', '*.example.com', '[::1]'],
    databases: ['db.example.com/shop', '*:6432/app_*', 'local/*'],
  });

  it.each([
    ['/etc/app', true],
    ['/etc/app/a/b.env', true],
    ['/etc/application', false],
    ['/srv/one/flags.json', true],
    ['/srv/one/two/flags.json', false],
    ['/opt/a/b/x.env', true],
    ['/etc/shadow', false],
  ])('write %s: %s', (path, allowed) => expect(some.mayWrite(path) === undefined).toBe(allowed));

  it.each([
    ['app-one.service', true],
    ['app-one.timer', false],
    ['xapp-one.service', false],
    ['db.service', true],
    ['dbXservice', false],
  ])('touch %s: %s', (unit, allowed) => expect(some.mayTouchUnit(unit) === undefined).toBe(allowed));

  it.each([
    ['mem0-api', true],
    ['mem0', true],
    ['xmem0', false],
    ['neo4j2', false],
    ['/srv/mem0/compose.yml', true],
    ['/srv/mem0/old/compose.yml', false],
  ])('touch the container or project %s: %s', (name, allowed) =>
    expect(some.mayTouchContainer(name) === undefined).toBe(allowed),
  );

  it.each([
    ['/usr/bin/npm', true],
    ['npm', false],
    ['git', true],
    ['/tmp/git', false],
  ])('run %s: %s', (program, allowed) => expect(some.mayRun(program) === undefined).toBe(allowed));

  it.each([
    ['http://127.0.0.1:8080/x', true],
    ['http://127.0.0.1:8081/x', false],
    ['https://a.example.com/', true],
    ['https://A.Example.COM:9/', true],
    ['https://example.com/', false],
    ['https://a.example.com.evil.org/', false],
    ['http://[::1]:9/', true],
  ])('call %s: %s', (url, allowed) => expect(some.mayCall(url) === undefined).toBe(allowed));

  it.each([
    ['postgres://me:hunter22@db.example.com/shop', true],
    ['postgres://me@DB.example.com:5432/shop', true],
    ['postgres://me@db.example.com/other', false],
    ['postgresql://me@10.0.0.1:6432/app_one', true],
    ['postgresql://me@10.0.0.1/app_one', false],
    ['postgres://me@/shop?host=/run/postgresql', true],
    ['postgres:///shop', true],
    ['postgres://me@localhost/shop?host=db.example.com', true],
    ['postgres://shop@db.example.com/', true],
  ])('use %s: %s', (dsn, allowed) => {
    const refused = some.mayUseDatabase(dsn);
    expect(refused === undefined).toBe(allowed);
    expect(refused ?? '').not.toContain('hunter22');
  });

  it('says what would be allowed', () => {
    expect(some.mayTouchUnit('x.service')).toBe(
      'x.service is not among the units that this host allows to policies (app-*.service, db.service)',
    );
    expect(createAllowList({ units: [] }).mayTouchUnit('x.service')).toContain('(none)');
  });
});
