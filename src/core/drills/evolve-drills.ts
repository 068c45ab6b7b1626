import type { DrillEvent, Event } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { RehearseAction } from '../model/action.ts';
import { type DrillEnd, type DrillResult, type DrillRun, isCompleted } from '../model/drill.ts';
import type { FinishedEvent } from '../operations/evolve-operations.ts';
import { mapValues, without } from '../record.ts';
import type { Millis } from '../units.ts';
import type { DrillMemory, Measured } from './drill-memory.ts';

export function evolveDrills(memory: Memory, event: DrillEvent & Pick<Event, 'at'>): Memory {
  if (event.type === 'drill.forgotten') return { ...memory, drills: without(memory.drills ?? {}, [event.drill]) };
  const before = memory.drills?.[event.drill];
  return withDrill(memory, event.drill, changed(before ?? unknownSince(event.at), event));
}

function unknownSince(at: Millis): DrillMemory {
  return { schedule: '', handledUntil: at, handledDue: null, run: null, last: null, lastSuccessAt: null, measured: {} };
}

function changed(
  drill: DrillMemory,
  event: Exclude<DrillEvent, { type: 'drill.forgotten' }> & Pick<Event, 'at'>,
): DrillMemory {
  switch (event.type) {
    case 'drill.met':
      return { ...drill, schedule: event.schedule, handledUntil: event.at };
    case 'drill.started': {
      // However many instants were missed, they are made up for by one drill.
      const { cause } = event.run;
      if (cause.kind === 'person') return { ...drill, run: event.run };
      return { ...drill, run: event.run, handledUntil: Math.max(event.at, cause.due), handledDue: cause.due };
    }
    case 'drill.rehearsed': {
      const { run } = drill;
      if (run?.id !== event.run) return drill;
      const items = [...(run.items[event.rung] ?? []), event.item];
      return { ...drill, run: { ...run, items: { ...run.items, [event.rung]: items } } };
    }
    case 'drill.ended':
      return ended(drill, event.result);
  }
}

function ended(drill: DrillMemory, last: DrillResult): DrillMemory {
  const over = { ...drill, run: null, last };
  if (!isCompleted(last.outcome)) return over;
  return {
    ...over,
    lastSuccessAt: last.outcome === 'successful' ? last.endedAt : drill.lastSuccessAt,
    measured: { ...drill.measured, [last.mode]: measuredBy(last) },
  };
}

function measuredBy({ endedAt, policy, durationMs, rungs }: DrillResult): Measured {
  const good = rungs.filter(({ outcome }) => outcome === 'successful');
  return {
    at: endedAt,
    policy,
    durationMs,
    rungs: Object.fromEntries(good.map(({ rung, durationMs: tookMs }) => [rung, tookMs])),
  };
}

/** A drill is never resumed half: whatever was under way when the daemon ended is over. */
export function restartDrills(memory: Memory): Memory {
  if (memory.drills === undefined) return memory;
  const detail = 'revertd was not there any more';
  return {
    ...memory,
    drills: mapValues(memory.drills, (drill) => ({
      ...drill,
      run:
        drill.run === null || drill.run.ended !== null
          ? drill.run
          : withEnd(drill.run, { kind: 'interrupted', detail }),
    })),
  };
}

export function evolveRehearsed(memory: Memory, action: RehearseAction, event: FinishedEvent): Memory {
  const drill = memory.drills?.[action.drill];
  // What was aborted has its result already.
  if (drill?.run?.id !== action.run || drill.run.ended !== null) return memory;
  return withDrill(memory, action.drill, { ...drill, run: withEnd(drill.run, endOf(event)) });
}

function endOf({ outcome, detail, durationMs }: FinishedEvent): DrillEnd {
  switch (outcome) {
    case 'done':
      return { kind: 'done', durationMs };
    case 'failed':
      return { kind: 'failed', detail };
    case 'unknown':
    case 'notDone':
      return { kind: 'interrupted', detail };
  }
}

function withEnd(run: DrillRun, end: DrillEnd): DrillRun {
  return { ...run, ended: end };
}

function withDrill(memory: Memory, name: string, drill: DrillMemory): Memory {
  return { ...memory, drills: { ...memory.drills, [name]: drill } };
}
