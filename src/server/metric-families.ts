import { Counter, Gauge, type Registry } from 'prom-client';

/** A gauge that is filled anew whenever it is read. */
export function addGauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  fill: (gauge: Gauge) => void,
): void {
  const gauge: Gauge = new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      gauge.reset();
      fill(gauge);
    },
  });
}

export function addCounter(registry: Registry, name: string, help: string, labelNames: string[]): Counter {
  return new Counter({ name, help, labelNames, registers: [registry] });
}

/** A counter over numbers that are counted elsewhere. */
export function addTally(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  counts: ReadonlyMap<string | number, number>,
): Counter {
  return new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of counts) this.inc({ [label]: value }, count);
    },
  });
}
