import type { NotificationTopic } from '../model/notifier.ts';

const FOOT = '\n\nHost ${host.name}${#policy}, policy ${policy}${/policy}';

const STATE = `Why: \${incident.reason}
Now: \${incident.status}
Open for \${incident.duration}, breached for \${incident.breachedFor}\${#incident.rto} (objective \${incident.rto})\${/incident.rto}`;

const WALKED = `\${#incident.walked}
- rung "\${rung}" \${outcome}: \${reason}
\${/incident.walked}`;

const END = `\${incident.outcome}

Why: \${incident.reason}
From \${incident.startedAt} to \${incident.endedAt}: \${incident.duration}, breached for \${incident.breachedFor}
${WALKED}
Report: \${incident.command}`;

const PLAIN = '${title}\n\n${text}\n';

/**
 * What a message says where its notifier has no template of its own: a title, an empty line, and text that reads well
 * plain and as Markdown. The plain ones need no incident.
 */
export const DEFAULT_TEMPLATES = {
  opened: `\${title}

\${#incident.triggers}
- \${trigger} = \${value} (threshold \${threshold})\${#labels} at \${labels}\${/labels}, since \${since}
\${/incident.triggers}
Next: \${incident.status}
Follow it: \${incident.command}
${FOOT}`,
  rung: `\${title}\n\n${STATE}\n${WALKED}${FOOT}`,
  approval: `\${title}\n\n\${text}\n\n${STATE}\n${WALKED}\nDecide: \${incident.command}\n${FOOT}`,
  update: `\${title}\n\n${STATE}\n${WALKED}${FOOT}`,
  escalated: `\${title}\n\n\${text}\n\n${STATE}\n${WALKED}\nSee: \${incident.command}\n${FOOT}`,
  asking: `\${title}\n\n\${text}\n\n${STATE}\n${WALKED}\nAnswer: \${incident.command}\n${FOOT}`,
  resolved: `\${title}\n\n${END}\n${FOOT}`,
  exhausted: `\${title}\n\nrevertd can do no more; people have to.\n${END}\n${FOOT}`,
  aborted: `\${title}\n\n${END}\n${FOOT}`,
  report: `\${title}\n\n\${text}\n\n\${incident.report}\n${FOOT}`,
  drill: `\${title}

\${drill.policy} (\${drill.mode}): \${drill.duration}\${#drill.rto}, objective \${drill.rto}\${/drill.rto}\${#drill.before}, the last one \${drill.before}\${/drill.before}\${#drill.reason}
Why: \${drill.reason}\${/drill.reason}
\${#drill.rungs}
- rung "\${rung}" \${outcome}: \${duration}
\${/drill.rungs}
${FOOT}`,
  braked: PLAIN + FOOT,
  warning: PLAIN + FOOT,
  refused: PLAIN + FOOT,
  drift: PLAIN + FOOT,
  points: PLAIN + FOOT,
  message: PLAIN + FOOT,
} as const satisfies Record<NotificationTopic, string>;
