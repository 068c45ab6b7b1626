import { basename } from 'node:path';
import type { CommandType, MetricSource } from '../../../core/model/metric-source.ts';
import type { Sample } from '../../batch.ts';
import { decodeBody } from '../../exposition/decode.ts';
import { ExpositionError } from '../../exposition/exposition-error.ts';
import { DEFAULT_MAX_BYTES, DEFAULT_MAX_SAMPLES } from '../../exposition/limits.ts';
import { parseExposition } from '../../exposition/parse.ts';
import { SeriesTable } from '../../exposition/series-table.ts';
import { DeadlineExceeded } from '../../http/exchange.ts';
import { labelsOf } from '../../labels.ts';
import type { Outcome, Sampler, SamplerDriver, SamplerMeans, SamplingFault } from '../../sampler.ts';
import { withTargetLabels } from '../scrape/target-labels.ts';
import { reporter } from '../scrape-report.ts';
import { type CaptureEnd, capture } from './capture.ts';

export const command: SamplerDriver<CommandType> = {
  open: (source, type, means) => [openCommand(source, type, means)],
};

function openCommand(source: MetricSource, type: CommandType, means: SamplerMeans): Sampler {
  const own = labelsOf(Object.entries({ job: source.name, instance: basename(type.argv[0] ?? ''), ...type.labels }));
  const table = new SeriesTable((exposed) => withTargetLabels(exposed, own));
  const report = reporter(own);
  return {
    target: type.argv.join(' '),
    timeoutMs: type.timeoutMs,
    async sample(signal): Promise<Outcome> {
      const begun = means.clock.elapsed();
      const maxBytes = type.limits?.bytes ?? DEFAULT_MAX_BYTES;
      const end = await capture({ argv: type.argv, maxBytes, signal });
      const read = readEnd(end, type, table, signal);
      const durationMs = means.clock.elapsed() - begun;
      if ('fault' in read) return { kind: 'failed', samples: report(0, durationMs, 0), fault: read.fault };
      return { kind: 'sampled', samples: [...report(1, durationMs, read.samples.length), ...read.samples] };
    },
    close: () => {},
  };
}

type Read = { readonly samples: Sample[] } | { readonly fault: SamplingFault };

function readEnd(end: CaptureEnd, type: CommandType, table: SeriesTable, signal: AbortSignal): Read {
  switch (end.kind) {
    case 'exited':
      return end.code === 0
        ? parse(end.output, type, table)
        : fault('exit_status', `exit status ${end.code}; expected 0${said(end.complaint)}`);
    case 'killed':
      return fault('killed', `killed by ${end.by}${said(end.complaint)}`);
    case 'tooLong': {
      const limit = type.limits?.bytes ?? DEFAULT_MAX_BYTES;
      return fault(
        'body_too_large',
        `more than ${limit} bytes of output; raise the source's limits.bytes if that is right`,
      );
    }
    case 'stopped': {
      const why = signal.reason instanceof DeadlineExceeded ? signal.reason.message : 'stopped';
      return fault('timeout', `killed: ${why}${said(end.complaint)}`);
    }
    case 'notStarted':
      return fault('not_started', end.message);
  }
}

function parse(output: Buffer, type: CommandType, table: SeriesTable): Read {
  try {
    const limit = type.limits?.samples ?? DEFAULT_MAX_SAMPLES;
    return { samples: parseExposition(decodeBody(output), table, { format: 'text', limit }) };
  } catch (error) {
    if (!(error instanceof ExpositionError)) throw error;
    return fault(error.code, error.message);
  }
}

function fault(code: string, message: string): Read {
  return { fault: { code, message } };
}

function said(complaint: string): string {
  const text = complaint.trim();
  return text === '' ? '' : `; it said: ${text}`;
}
