import { inOwnWords } from '../../../core/notifications/word-message.ts';
import { formatDuration } from '../../../core/units.ts';
import type { AllowList } from '../../allow-list.ts';
import { startDeadline } from '../../deadline.ts';
import { type ProcessEnd, runProcess } from '../../process.ts';
import { type Delivery, type NotifierDriver, type NotifierOf, withoutHtml } from '../notifier-driver.ts';

/** Runs a program that gets the notification as JSON on its standard input; exit code 0 means delivered. */
export function commandNotifier(host: { readonly allow: AllowList }): NotifierDriver<'command'> {
  return {
    send: async (notifier, message, { signal, secrets }) => {
      const { argv } = notifier.type;
      const refused = host.allow.mayRun(argv[0] ?? '');
      if (refused !== undefined) return { outcome: 'failed', retry: false, detail: refused };
      const deadline = startDeadline(signal, notifier.timeoutMs);
      const end = await runProcess(
        { argv, stdin: `${JSON.stringify(inOwnWords(notifier, withoutHtml(message)))}\n`, secrets },
        deadline.signal,
      );
      return judge(notifier, end);
    },
  };
}

function judge(notifier: NotifierOf<'command'>, end: ProcessEnd): Delivery {
  const program = notifier.type.argv[0] ?? '';
  switch (end.kind) {
    case 'exited': {
      const said = end.output.trim() === '' ? '' : `: ${end.output.trim()}`;
      const detail = `${program} ended with exit code ${end.code}${said}`;
      return end.code === 0 ? { outcome: 'delivered', detail } : { outcome: 'failed', retry: true, detail };
    }
    case 'killed':
      return { outcome: 'failed', retry: true, detail: `${program} was killed by ${end.by}` };
    case 'stopped': {
      const span = formatDuration(notifier.timeoutMs);
      return { outcome: 'failed', retry: true, detail: `${program} was stopped; it has at most ${span}` };
    }
    case 'notStarted':
      return { outcome: 'failed', retry: false, detail: end.message };
  }
}
