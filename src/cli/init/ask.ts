import { createInterface } from 'node:readline';
import { CliError, EXIT } from '../exit-code.ts';
import { paint, type Terminal } from '../terminal.ts';
import { AnswerError, type Answers, QUESTIONS, type Question } from './answers.ts';

export type Given = {
  readonly service?: string;
  readonly metrics?: string;
  readonly flag?: string;
  readonly notify?: string;
  readonly yes?: boolean;
};

/** Where answers come from, a line each; undefined when there are no more. */
export type Lines = { readonly next: () => Promise<string | undefined>; readonly close: () => void };

/** The lines of standard input. */
export function inputLines(): Lines {
  const reader = createInterface({ input: process.stdin, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  return {
    next: async () => {
      const read = await lines.next();
      return read.done === true ? undefined : read.value;
    },
    close: () => reader.close(),
  };
}

/** Asks what the options leave open; with `--yes` the usual answers are taken. @throws CliError without an answer */
export async function askAll(given: Given, lines: () => Lines, terminal: Terminal): Promise<Answers> {
  let open: Lines | undefined;
  const ask = async <T>(question: Question<T>, answer: string | undefined): Promise<T> => {
    if (answer !== undefined) return readGiven(question, answer);
    if (given.yes === true) return question.read(question.usual);
    open ??= lines();
    return await askUntilRight(question, open, terminal);
  };
  try {
    const { unit, service } = await ask(QUESTIONS.service, given.service);
    const metricsUrl = await ask(QUESTIONS.metrics, given.metrics);
    const flag = await ask(QUESTIONS.flag, given.flag);
    const notify = await ask(QUESTIONS.notify, given.notify);
    return { unit, service, metricsUrl, flag, notify };
  } finally {
    open?.close();
  }
}

function readGiven<T>({ option, read }: Question<T>, answer: string): T {
  try {
    return read(answer);
  } catch (error) {
    if (!(error instanceof AnswerError)) throw error;
    throw new CliError(`${option}: ${error.message}`, EXIT.usage, { cause: error });
  }
}

async function askUntilRight<T>(question: Question<T>, lines: Lines, terminal: Terminal): Promise<T> {
  for (;;) {
    terminal.err(`${question.text} ${paint(terminal, 'dim', `[${question.usual}]`)}:`);
    const line = await lines.next();
    if (line === undefined) {
      throw new CliError(`no answer; give ${question.option}, or --yes for the usual answers`, EXIT.usage);
    }
    try {
      return question.read(line.trim() === '' ? question.usual : line.trim());
    } catch (error) {
      if (!(error instanceof AnswerError)) throw error;
      terminal.err(paint(terminal, 'red', error.message));
    }
  }
}
