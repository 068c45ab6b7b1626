import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { Examination } from '../../../core/model/drill.ts';
import type { EditFileStep } from '../../../core/model/edit-file-step.ts';
import { describeStep } from '../../../core/model/step.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { editText, inWords } from '../../places/document-text.ts';
import { formatByName } from '../../places/file/formats/format-by-name.ts';
import { readContent, withFolder } from '../../places/open-document.ts';
import { PlaceError } from '../../places/place-driver.ts';
import { digestOf, type Edit, replaceDocument } from '../../places/replace-document.ts';
import { inTurn } from '../../places/write-turns.ts';
import {
  failed,
  obstacle,
  ready,
  type StepContext,
  type StepDriver,
  type StepFault,
  type StepOf,
  type StepOutcome,
} from '../step-driver.ts';

type Host = { readonly allow: AllowList };

/**
 * Changes a file of the host in one atomic replacement: mode, owner, comments, order, byte order mark and line endings
 * stay. Doing it again changes nothing, so that after a crash it is simply looked whether the file is so.
 */
export function editFileStep(host: Host): StepDriver<'editFile'> {
  return {
    describe: describeStep,
    examine: (step) => examine(step, host),
    prepare: async (step) => ({ digest: (await digestNow(step, host)) ?? null }),
    perform: async (step, context) => {
      if (context.signal.aborted) return failed('aborted', `${describeStep(step)} was stopped before it began`);
      return await perform(step, context, host);
    },
    observe: async (step) => ((await isSo(step, host)) ? 'done' : 'notDone'),
  };
}

async function perform(step: StepOf<'editFile'>, context: StepContext, host: Host): Promise<StepOutcome> {
  const deadline = startDeadline(context.signal, step.timeoutMs);
  const what = describeStep(step);
  try {
    const edit = await editOf(step, host);
    context.log(what);
    const { digest, before } = await inTurn(step.path, () =>
      withFolder(step.path, host.allow, (folder) => replaceDocument(folder, edit, deadline.signal)),
    );
    if (digest === before) return { outcome: 'done', detail: `${step.path} was so already` };
    return { outcome: 'done', detail: `${what}: ${before === undefined ? 'created' : 'replaced'}, SHA-256 ${digest}` };
  } catch (error) {
    if (!(error instanceof PlaceError)) throw error;
    return blame(step, deadline, error);
  }
}

/** Rejects with PlaceError. */
async function editOf({ path, edit }: EditFileStep, { allow }: Host): Promise<Edit> {
  switch (edit.kind) {
    case 'content': {
      const bytes = Buffer.from(edit.content, 'utf8');
      return () => bytes;
    }
    case 'copyOf': {
      // Whoever may write a path may read it: so a policy cannot carry off what it may not touch.
      const source = await withFolder(edit.source, allow, readContent);
      if (source === undefined) throw new PlaceError('io', edit.source, 'does not exist; there is nothing to put back');
      return () => source.bytes;
    }
    case 'entries': {
      const format = inWords(path, '', () => formatByName(edit.format, path));
      const changes = Object.entries(edit.set).map(([entry, value]) => ({ entry, value }));
      return (bytes) => {
        // A file that is not there has nothing that could be removed, and is not made for that.
        if (bytes === undefined && changes.length === 0) throw new PlaceError('io', path, 'does not exist');
        return editText(path, format, bytes, { changes, removals: edit.remove });
      };
    }
  }
}

function blame(step: StepOf<'editFile'>, deadline: Deadline, error: PlaceError): StepOutcome {
  const text = `${error.message}; the file is as it was`;
  if (error.code === 'aborted') {
    if (deadline.cause() === 'aborted') return failed('aborted', text);
    return failed('timedOut', `${text}, after ${formatDuration(step.timeoutMs)}`);
  }
  return failed(faultOf(error), text);
}

function faultOf({ code }: PlaceError): StepFault {
  switch (code) {
    case 'notAllowed':
    case 'notPermitted':
    case 'diskFull':
    case 'changedMeanwhile':
      return code;
    case 'ownerNotKept':
      return 'notPermitted';
    default:
      return 'badFile';
  }
}

/** Undefined if there is no file, or it cannot be read; the step itself then says so. */
async function digestNow({ path }: EditFileStep, { allow }: Host): Promise<string | undefined> {
  const content = await withFolder(path, allow, readContent).catch(ignorePlaceError);
  return content && digestOf(content.bytes);
}

/** Whether the file can be read and would take the edit, and its folder a new file. */
async function examine(step: StepOf<'editFile'>, host: Host): Promise<Examination> {
  try {
    const edit = await editOf(step, host);
    return await withFolder(step.path, host.allow, async (folder) => {
      const content = await readContent(folder);
      const after = Buffer.from(edit(content?.bytes));
      await access(folder.at('.'), constants.W_OK);
      if (content !== undefined && after.equals(content.bytes)) return ready(`${step.path} is so already`);
      return ready(`${step.path} would be ${content === undefined ? 'created' : 'replaced'}`);
    });
  } catch (error) {
    if (error instanceof PlaceError) return obstacle(error.message);
    throw error;
  }
}

/** Whether the edit would change nothing. */
async function isSo(step: EditFileStep, host: Host): Promise<boolean> {
  try {
    const edit = await editOf(step, host);
    const content = await withFolder(step.path, host.allow, readContent);
    return content !== undefined && Buffer.from(edit(content.bytes)).equals(content.bytes);
  } catch (error) {
    return ignorePlaceError(error) !== undefined;
  }
}

function ignorePlaceError(error: unknown): undefined {
  if (!(error instanceof PlaceError)) throw error;
}
