/** A container of a real podman that a real unit serves: it writes down at which rate the storefront sells. */
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { done, until } from '../installed-host.ts';

const UNIT = 'storefront-engine.service';
const APPLETS = ['cat', 'mv', 'rm', 'sh', 'sleep', 'test'];
export const EXCHANGE = 'exchange';
/** The container's own file; its only switch is whether the rate is taken from the feed. */
export const RATES_FILE = '/app/rates.env';

/** It ends when it is told to, but not while somebody holds it up. */
const SCRIPT = `trap 'echo > /mnt/stopping; while test -e /mnt/hold; do sleep 0.1; done; rm /mnt/stopping; exit 0' TERM
while :; do
  . ${RATES_FILE}
  if test "$LIVE_RATES" = true; then cat /mnt/feed > /mnt/rate.new; else echo 1 > /mnt/rate.new; fi
  mv /mnt/rate.new /mnt/rate
  sleep 0.2 & wait $!
done
`;

export type Exchange = AsyncDisposable & {
  readonly socket: string;
  /** Runs podman as people do, beside the daemon. */
  readonly podman: (command: string) => Promise<string>;
  /** What its switch says, as the container itself sees it. */
  readonly rates: () => Promise<string>;
  /** Another with each start. */
  readonly life: () => Promise<string>;
};

/** `mounted` is where the rate is found, with the feed that it is taken from. */
export async function startExchange(folder: string, mounted: string): Promise<Exchange> {
  mkdirSync(join(folder, 'image/bin'), { recursive: true });
  mkdirSync(join(folder, 'image/app'));
  mkdirSync(join(folder, 'image/mnt'));
  copyFileSync('/bin/busybox', join(folder, 'image/bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(folder, 'image/bin', applet));
  writeFileSync(join(folder, 'image', RATES_FILE), '# where rates come from\nLIVE_RATES=true\n');
  writeFileSync(join(folder, 'image/app/run'), SCRIPT);
  const variables = writeConfiguration(folder);
  const socket = join(folder, 'engine.sock');
  const service = `[Service]
Environment=${variables.join(' ')}
ExecStart=/usr/bin/podman system service --time 0 unix://${socket}
KillMode=process
`;
  writeFileSync(`/run/systemd/system/${UNIT}`, service);
  await done(`systemctl daemon-reload; systemctl start ${UNIT}`);
  const podman = async (command: string) => await done(`export ${variables.join(' ')}; podman ${command}`);
  await done(
    `export ${variables.join(' ')}; tar -C ${folder}/image -c . | podman import --quiet - localhost/exchange:1`,
  );
  await podman(`create --name ${EXCHANGE} --network none --volume ${mounted}:/mnt localhost/exchange:1 sh /app/run`);
  await podman(`start ${EXCHANGE}`);
  await until('the engine answers', async () =>
    (await done(`curl --silent --unix-socket ${socket} http://engine/_ping || true`)) === 'OK' ? true : undefined,
  );
  return {
    socket,
    podman,
    rates: async () => await podman(`exec ${EXCHANGE} cat ${RATES_FILE}`),
    life: async () => await podman(`inspect --format '{{.State.StartedAt}}' ${EXCHANGE}`),
    async [Symbol.asyncDispose]() {
      await podman(`rm --force --time 0 ${EXCHANGE}`);
      await done(`systemctl stop ${UNIT}`);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Without control groups, since a sandbox has no eBPF with which they would guard devices. */
function writeConfiguration(folder: string): readonly string[] {
  const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]';
  writeFileSync(
    join(folder, 'containers.conf'),
    `[containers]\n${limits}\ncgroups = "disabled"\n[engine]\nevents_logger = "file"\n`,
  );
  const storage = `driver = "vfs"\ngraphroot = "${folder}/graph"\nrunroot = "${folder}/run"`;
  writeFileSync(join(folder, 'storage.conf'), `[storage]\n${storage}\n`);
  return [`CONTAINERS_CONF=${folder}/containers.conf`, `CONTAINERS_STORAGE_CONF=${folder}/storage.conf`];
}
