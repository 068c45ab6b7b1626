import type { ProbeType } from '../../../core/model/metric-source.ts';
import type { SamplerDriver } from '../../sampler.ts';
import { openHttp } from './http.ts';
import { openTcp } from './tcp.ts';
import { openUnit } from './unit.ts';

export const probe: SamplerDriver<ProbeType> = {
  open(source, type, means) {
    switch (type.probe.kind) {
      case 'http':
        return [openHttp(source, type.probe, means)];
      case 'tcp':
        return [openTcp(source, type.probe, means)];
      case 'unit':
        return [openUnit(source, type.probe, means)];
    }
  },
};
