import { Command, CommanderError, Option } from 'commander';
import { CommandError } from '../core/operator-commands.ts';
import { SourceError } from '../source/source-error.ts';
import { StoreError } from '../store/store-error.ts';
import type { AuditOptions } from './commands/audit.ts';
import type { CreateOptions, RestoreBackupOptions } from './commands/backup.ts';
import type { SetOptions } from './commands/flags.ts';
import type { FmtOptions } from './commands/fmt.ts';
import type { InitOptions } from './commands/init.ts';
import type { LintOptions } from './commands/lint.ts';
import type { PruneOptions, TakeOptions, VerifyOptions } from './commands/points.ts';
import type { DiffOptions } from './commands/points-diff.ts';
import type { RestoreOptions } from './commands/points-restore.ts';
import type { TestOptions } from './commands/test.ts';
import { CliError, EXIT, type ExitCode } from './exit-code.ts';
import type { GlobalOptions } from './setup.ts';
import { paint, processTerminal, type Terminal } from './terminal.ts';

// Commands are imported when they are called: a client of the daemon need not load the daemon.

const AFTER_HELP = `
First steps:
  revertd init policies/              a starting policy repository, by four questions
  revertd validate policies/          check a policy folder
  revertd test policies/              run its tests in simulated time
  revertd plan --policies policies/   what it would change on this host, and why
  revertd run --policies URL          follow a git repository
  revertd status                      how the host stands

Exit codes: 0 done, 1 error, 2 changes present (plan --detailed-exitcode), 3 partly done, 4 refused by a guard,
5 another daemon has the data directory, 64 wrong usage, 130 interrupted.`;

/** Runs the command line and answers the exit code; results go to stdout, everything else to stderr. */
export async function runCommandLine(argv: readonly string[], version: string): Promise<ExitCode> {
  const noColour = argv.includes('--no-color');
  const terminal = processTerminal(process.env, noColour);
  let code: ExitCode = EXIT.done;
  const program = createProgram(version, terminal, (given) => {
    code = given;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return failure(error, terminal);
  }
}

function failure(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const prefix = paint(terminal, 'red', 'revertd:');
  if (error instanceof CliError) {
    terminal.err(`${prefix} ${error.message}`);
    return error.exitCode;
  }
  if (error instanceof StoreError || error instanceof SourceError || error instanceof CommandError) {
    terminal.err(`${prefix} ${error.message}`);
    return EXIT.error;
  }
  terminal.err(`${prefix} this is a fault of revertd itself. Please report it with what follows.`);
  terminal.err(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.error;
}

export function createProgram(version: string, terminal: Terminal, end: (code: ExitCode) => void): Command {
  const program = new Command('revertd')
    .description('Keeps this host inside the guard-rails that its owners commit to git.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(revertd --help shows how it is used)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .addOption(
      new Option('--config <file>', 'the host configuration (default: /etc/revertd/revertd.yaml if it is there)'),
    )
    .addOption(new Option('--data <dir>', "revertd's data directory (default: /var/lib/revertd)"))
    .option('--json', 'answer in JSON, with a schemaVersion')
    .option('--no-color', 'no colour; NO_COLOR and TERM=dumb do the same')
    .addHelpText('after', AFTER_HELP);
  const act =
    <A extends unknown[]>(handler: (options: GlobalOptions, ...rest: A) => Promise<ExitCode>) =>
    async (...args: unknown[]): Promise<void> => {
      const command = args.at(-1);
      const options = command instanceof Command ? command.optsWithGlobals<GlobalOptions>() : {};
      end(await handler(options, ...(args.slice(0, -2) as A)));
    };
  addDaemonCommands(program, terminal, version, act);
  addAuthorCommands(program, terminal, version, act);
  addFlagCommands(program, terminal, version, act);
  addOperatorCommands(program, terminal, version, act);
  program
    .command('completion <shell>')
    .description('the script by which bash, zsh or fish completes commands and options')
    .action(
      act(async (_options, shell: string) =>
        (await import('./commands/completion.ts')).completion(shell, program, terminal),
      ),
    );
  program
    .command('version')
    .description('which revertd this is, on which Node, and which policies it reads')
    .action(act(async (options) => (await import('./commands/version.ts')).tellVersion(options, terminal, version)));
  return program;
}

type Act = <A extends unknown[]>(
  handler: (options: GlobalOptions, ...rest: A) => Promise<ExitCode>,
) => (...args: unknown[]) => Promise<void>;

function addDaemonCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  program
    .command('run')
    .description('the daemon: follow the policies, watch, and put the host back when it leaves its guard-rails')
    .option('--policies <dir-or-url>', 'what to follow, instead of `source.url` of the configuration')
    .option('--once', 'reconcile until nothing is left to do, then exit')
    .option('--dry-run', 'observe and plan, but never act')
    .action(act(async (options) => (await import('./commands/run.ts')).run(options, terminal, version)));
  program
    .command('validate <folder>')
    .description('check a policy folder offline; all faults are reported at once, with their places')
    .action(
      act(async (options, folder: string) =>
        (await import('./commands/validate.ts')).validate(folder, options, terminal),
      ),
    );
  program
    .command('plan')
    .description('what would change now, why, and what would follow')
    .option('--policies <folder>', 'plan for these policies instead of the ones in force')
    .option('--rev <revision>', 'plan for a branch, tag or commit; A..B also shows what changes from A to B')
    .option('--observation <file>', 'decide on what `observe` saved, instead of on this host')
    .option('--markdown', 'as a comment for a pull request')
    .option('--out <file>', 'save the plan too, for `apply`')
    .option('--detailed-exitcode', 'exit 2 if there is something to change')
    .action(act(async (options) => (await import('./commands/plan.ts')).plan(options, terminal, version)));
  program
    .command('apply <file>')
    .description('do what a saved plan says, if its ground has not moved')
    .action(
      act(async (options, file: string) =>
        (await import('./commands/apply.ts')).apply(file, options, terminal, version),
      ),
    );
  program
    .command('observe')
    .description('save what a plan on this host rests on, to plan elsewhere')
    .option('--out <file>', 'where to')
    .option('--policies <folder>', 'look at what these policies speak of, too')
    .option('--rev <revision>', 'the same for a branch, tag or commit')
    .action(act(async (options) => (await import('./commands/observe.ts')).observe(options, terminal, version)));
  program
    .command('status')
    .description('desired, effective and observed state, incidents, holds, and what needs attention')
    .action(act(async (options) => (await import('./commands/status.ts')).status(options, terminal, version)));
}

function addAuthorCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  program
    .command('init [folder]')
    .description('write a starting policy repository, by four questions; nothing is overwritten')
    .option('--service <unit>', 'the systemd unit that is watched')
    .option('--metrics <url>', 'where its metrics are')
    .option('--flag <file#key>', 'the flag that is turned off: FILE#VARIABLE or FILE.json#/POINTER')
    .option('--notify <whom>', "a credential's name, an address, or a program")
    .option('--yes', 'take the usual answer to what is not given')
    .action(
      act(async (options: InitOptions, folder: string | undefined) =>
        (await import('./commands/init.ts')).init(folder ?? '.', options, terminal),
      ),
    );
  program
    .command('lint <folder>')
    .description('doubts about policies that are valid: what will hurt at 3 a.m., why, and how to mend it')
    .option('--max-warnings <count>', 'so many warnings are no failure (0)')
    .addOption(new Option('--format <format>', 'how findings are written').choices(['text', 'github']).default('text'))
    .action(
      act(async (options: LintOptions, folder: string) =>
        (await import('./commands/lint.ts')).lint(folder, options, terminal),
      ),
    );
  program
    .command('fmt [paths...]')
    .description('lay policies out in the canonical way; `-` formats standard input')
    .option('--check', 'write nothing; name the files that are not laid out so, and exit 1 if there are any')
    .option('--diff', 'the same, and show what would change')
    .action(
      act(async (options: FmtOptions, paths: readonly string[]) =>
        (await import('./commands/fmt.ts')).fmt(paths, options, terminal),
      ),
    );
  program
    .command('test <folder>')
    .description('run the PolicyTests of a policy folder in simulated time')
    .option('--run <name>', 'only the test of this name')
    .option('--junit <file>', 'also write a report for CI servers')
    .option('--watch', 'run again whenever a file changes')
    .action(
      act(async (options: TestOptions, folder: string) =>
        (await import('./commands/test.ts')).test(folder, options, terminal),
      ),
    );
  program
    .command('explain <object>')
    .description(
      'one object in full: RollbackPolicy/NAME, Flag/NAME, Target/NAME, PointPolicy/NAME, MetricSource/NAME, Drill/NAME, Incident/ID or Point/ID',
    )
    .action(
      act(async (options, object: string) =>
        (await import('./commands/explain.ts')).explain(object, options, terminal, version),
      ),
    );
  program
    .command('query <expr>')
    .description("evaluate PromQL over the running daemon's samples")
    .option('--range <duration>', 'over the last so long instead of now')
    .option('--step <duration>', 'the distance of the points of a range')
    .option('--plot', 'draw it')
    .action(act(async (options, expr: string) => (await import('./commands/query.ts')).query(expr, options, terminal)));
}

function addFlagCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  program
    .command('serve-flags <path>')
    .description('serve flags alone over OFREP: a folder of policies, or a file of flagd; for development')
    .option('--listen <address>', 'address and port; 127.0.0.1:8016 without it')
    .option('--cors <origins>', 'origins of pages that may ask, separated by commas; * for all')
    .action(
      act(async (options, path: string) =>
        (await import('./commands/serve-flags.ts')).serveFlags(path, options, terminal),
      ),
    );
  const flags = program.command('flags').description('feature flags: what git says, what is in effect, and why');
  flags
    .command('list', { isDefault: true })
    .description('all flags')
    .action(act(async (options) => (await import('./commands/flags.ts')).flagsList(options, terminal, version)));
  flags
    .command('get <flag>')
    .description('one flag: git, holds, effective value and every place')
    .action(
      act(async (options, flag: string) =>
        (await import('./commands/flags.ts')).flagsGet(flag, options, terminal, version),
      ),
    );
  flags
    .command('history <flag>')
    .description('what happened to it, and who did it')
    .action(
      act(async (options, flag: string) =>
        (await import('./commands/flags.ts')).flagsHistory(flag, options, terminal, version),
      ),
    );
  flags
    .command('set <flag> <variant>')
    .description("override git's value")
    .option('--ttl <duration>', 'let go of it after so long: 30m, 2h, 7d')
    .option('--reason <text>', 'why; shown wherever the flag is shown')
    .option('--force', "release a rollback's latches, which otherwise win")
    .action(
      act(async (options: SetOptions, flag: string, variant: string) =>
        (await import('./commands/flags.ts')).flagsSet(flag, variant, options, terminal),
      ),
    );
}

function addOperatorCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  const holds = program.command('holds').description('why effective differs from desired, and how each hold ends');
  holds
    .command('list', { isDefault: true })
    .description('every latch, override and adoption that holds something')
    .action(act(async (options) => (await import('./commands/holds.ts')).holdsList(options, terminal, version)));
  holds
    .command('lift <id>')
    .description('end a hold now, whatever it waits for')
    .option('--reason <text>', 'why; it stands in the log')
    .action(act(async (options, id: string) => (await import('./commands/holds.ts')).holdsLift(id, options, terminal)));
  program
    .command('adopt [object]')
    .description('let git’s value in where revertd found another one at first sight: Flag/NAME, or all')
    .action(
      act(async (options, object: string | undefined) =>
        (await import('./commands/holds.ts')).adopt(object, options, terminal),
      ),
    );
  program
    .command('source')
    .description('where policies come from')
    .command('accept <revision>')
    .description('follow a revision although history was rewritten or the folder emptied')
    .action(
      act(async (options, revision: string) =>
        (await import('./commands/holds.ts')).acceptRevision(revision, options, terminal),
      ),
    );
  addIncidentCommands(program, terminal, version, act);
  addPointCommands(program, terminal, version, act);
  program
    .command('rollback <policy>')
    .description('walk a ladder by hand, under the same brakes')
    .option('--rung <name>', 'begin with this rung instead of the first')
    .option('--reason <text>', 'why; it stands in the report')
    .option('--force', 'against cooldown and limit; that is reported')
    .option('--dry-run', 'only say what it would do')
    .action(
      act(async (options, policy: string) =>
        (await import('./commands/rollback.ts')).rollback(policy, options, terminal, version),
      ),
    );
  program
    .command('drill <name>')
    .description('rehearse now, and wait for the result; exit code 1 if a rung failed or it took too long')
    .action(
      act(async (options, name: string) => (await import('./commands/drills.ts')).drill(name, options, terminal)),
    );
  program
    .command('drills')
    .description('rehearsals of ladders, and how they went')
    .command('list', { isDefault: true })
    .description('every drill: when it is next, and how the last one went')
    .action(act(async (options) => (await import('./commands/drills.ts')).drillsList(options, terminal, version)));
  program
    .command('halt')
    .description('the emergency stop: no automatic action until `resume`; works without a daemon too')
    .option('--reason <text>', 'why; shown in status')
    .option('--now', 'also kill the steps that are under way; what became of them is unknown, and asked')
    .action(act(async (options) => (await import('./commands/halt.ts')).halt(options, terminal)));
  program
    .command('resume')
    .description('allow automatic action again')
    .action(act(async (options) => (await import('./commands/halt.ts')).resume(options, terminal)));
  program
    .command('report')
    .description('what happened over a period, beside the one before')
    .option('--period <duration>', 'how far back: 24h, 7d, 30d (default: 7d)')
    .option('--markdown', 'in Markdown')
    .option('--html', 'as a page of its own')
    .option('--out <file>', 'where to')
    .action(act(async (options) => (await import('./commands/report.ts')).report(options, terminal, version)));
  const backup = program.command('backup').description("revertd's own state: its log, decisions, points and history");
  const backups = async () => await import('./commands/backup.ts');
  backup
    .command('create <path>')
    .description('write all of it into one file, or into a folder under a name with the time; the daemon goes on')
    .option('--no-content', 'leave the content of points out')
    .action(
      act(async (options: CreateOptions, path: string) =>
        (await backups()).backupCreate(path, options, terminal, version),
      ),
    );
  backup
    .command('restore <file>')
    .description('make it the state of this host, whose daemon does not run; nothing that only this host knows is lost')
    .option('--force', 'also over a store that has more than the backup, which is put aside')
    .action(
      act(async (options: RestoreBackupOptions, file: string) =>
        (await backups()).backupRestore(file, options, terminal),
      ),
    );
  program
    .command('audit')
    .description('the log of everything that happened')
    .command('verify')
    .description('prove that no event was changed, removed or reordered')
    .option('--head <heads...>', 'the log must have these: SEQ:HASH, as verify and the daemon say them')
    .option(
      '--journal [file]',
      "and those that the daemon wrote to systemd's journal, or to this file of its log lines",
    )
    .action(
      act(async (options: AuditOptions) =>
        (await import('./commands/audit.ts')).auditVerify(options, terminal, version),
      ),
    );
}

function addPointCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  const points = program.command('points').description('rollback points: what was, kept to go back to');
  const commands = async () => await import('./commands/points.ts');
  points
    .command('list', { isDefault: true })
    .description('newest first, each with what keeps it')
    .action(act(async (options) => (await commands()).pointsList(options, terminal, version)));
  points
    .command('show <point>')
    .description('one point with its snapshots and its history')
    .action(act(async (options, point: string) => (await commands()).pointsShow(point, options, terminal, version)));
  points
    .command('take [policy]')
    .description("capture a PointPolicy's targets now, or other targets; an interruption gives it up")
    .option('--target <names...>', 'these targets, instead of the policy’s')
    .option('--name <name>', 'what it is called')
    .option('--description <text>', 'what it is for')
    .option('--session <id>', 'the session that it belongs to')
    .option('--metadata <pairs...>', 'KEY=VALUE')
    .option('--ttl <duration>', 'how long it lives at most: 12h, 7d')
    .option('--recover', 'of a damaged SQLite database keep what can be read')
    .option('--no-wait', 'answer its id at once')
    .action(
      act(async (options: TakeOptions, policy: string | undefined) =>
        (await commands()).pointsTake(policy, options, terminal),
      ),
    );
  points
    .command('cancel <point>')
    .description('give up a point that is being captured')
    .action(act(async (options, point: string) => (await commands()).pointsCancel(point, options, terminal)));
  points
    .command('pin <point>')
    .description('keep it whatever its policy says')
    .option('--reason <text>', 'why; shown wherever the point is shown')
    .action(act(async (options, point: string) => (await commands()).pointsPin(point, options, terminal)));
  points
    .command('unpin <point>')
    .description('let it live by its policy again')
    .action(act(async (options, point: string) => (await commands()).pointsUnpin(point, options, terminal)));
  points
    .command('prune [point]')
    .description('prune what no rule keeps, or one point')
    .option('--policy <name>', 'only points of this PointPolicy')
    .option('--dry-run', 'only say what would go, what stays, and why')
    .option('--confirm', 'also when it is more than the policy allows at once')
    .option('--older-than <duration>', 'also what rules keep, and is older; what is protected stays')
    .option('--now', 'delete the content at once; nothing of it can be brought back')
    .action(
      act(async (options: PruneOptions, point: string | undefined) =>
        (await commands()).pointsPrune(point, options, terminal, version),
      ),
    );
  points
    .command('undelete <point>')
    .description('bring a pruned point back, and pin it')
    .action(act(async (options, point: string) => (await commands()).pointsUndelete(point, options, terminal)));
  points
    .command('verify [point]')
    .description('read its content again, or that of all points')
    .option('--restore-test', 'also restore it beside the live system')
    .action(
      act(async (options: VerifyOptions, point: string | undefined) =>
        (await commands()).pointsVerify(point, options, terminal),
      ),
    );
  points
    .command('export <point> <file>')
    .description('write a point with all its content into one file')
    .action(
      act(async (options, point: string, file: string) =>
        (await import('./commands/points-files.ts')).pointsExport(point, file, options, terminal),
      ),
    );
  points
    .command('import <file>')
    .description('take over a point from such a file')
    .action(
      act(async (options, file: string) =>
        (await import('./commands/points-files.ts')).pointsImport(file, options, terminal),
      ),
    );
  points
    .command('restore [point]')
    .description('put targets back as they were; what is overwritten is kept first')
    .option('--target <name>', 'only this target')
    .option('--at <time>', 'from the newest intact point that was complete by then: 2026-11-21T02:00:00Z, or 90m ago')
    .option('--path <paths...>', 'only these paths within it')
    .option('--table <tables...>', 'of a database only the rows of these tables')
    .option('--key <keys...>', 'of the only table, only the rows with these primary keys')
    .option('--mode <mode>', '`replace`, or `merge`: what was changed since the ancestor stays')
    .option('--ancestor <point>', 'of a merge, the newest point from before things went wrong')
    .option('--conflicts <strategy>', 'of a merge: `abort`, `skip`, `overwrite`, `merge` or `manual`')
    .option('--decisions <file>', 'where conflicts are written to that a person is to decide')
    .option('--reason <text>', 'why; it stands in the log')
    .option('--dry-run', 'only say what it would change')
    .action(
      act(async (options: RestoreOptions, point: string | undefined) =>
        (await import('./commands/points-restore.ts')).pointsRestore(point, options, terminal, version),
      ),
    );
  points
    .command('resolve <restore> <file>')
    .description('put back what was asked of people, as they decided in that file')
    .option('--reason <text>', 'why; it stands in the log')
    .action(
      act(async (options: RestoreOptions, restore: string, file: string) =>
        (await import('./commands/points-restore.ts')).pointsResolve(restore, file, options, terminal),
      ),
    );
  points
    .command('diff <point>')
    .description('what is different live, or in another point')
    .option('--with <point>', '`live`, or another point')
    .option('--target <name>', 'only this target')
    .option('--page <file>', 'write it as a page of its own')
    .action(
      act(async (options: DiffOptions, point: string) =>
        (await import('./commands/points-diff.ts')).pointsDiff(point, options, terminal, version),
      ),
    );
}

function addIncidentCommands(program: Command, terminal: Terminal, version: string, act: Act): void {
  const incidents = program.command('incidents').description('what went wrong, and what was done about it');
  incidents
    .command('list', { isDefault: true })
    .description('newest first')
    .action(
      act(async (options) => (await import('./commands/incidents.ts')).incidentsList(options, terminal, version)),
    );
  incidents
    .command('show <id>')
    .description('one incident with its timeline')
    .action(
      act(async (options, id: string) =>
        (await import('./commands/incidents.ts')).incidentsShow(id, options, terminal, version),
      ),
    );
  incidents
    .command('report <id>')
    .description('its report, with room for a post-mortem, in Markdown')
    .option('--html', 'as a page of its own, with plots')
    .option('--out <file>', 'where to')
    .action(
      act(async (options, id: string) =>
        (await import('./commands/incidents.ts')).incidentsReport(id, options, terminal, version),
      ),
    );
  incidents
    .command('answer <id> <next|retry|done>')
    .description('answer an incident that asks or is to be mended: next rung, try again, or call it done')
    .action(
      act(async (options, id: string, given: string) =>
        (await import('./commands/incidents.ts')).incidentsAnswer(id, given, options, terminal),
      ),
    );
  incidents
    .command('approve <id>')
    .description('agree to the rung that an incident waits with, as yourself')
    .option('--rung <name>', 'the rung that is meant; another one is refused')
    .option('--reason <text>', 'why; it stands in the report')
    .option('--override', 'decide alone, where the policy allows it now; everybody is told')
    .action(
      act(async (options, id: string) =>
        (await import('./commands/incidents.ts')).incidentsApprove(id, options, terminal),
      ),
    );
  incidents
    .command('reject <id>')
    .description('refuse the rung that an incident waits with; it goes on with the next one')
    .option('--rung <name>', 'the rung that is meant; another one is refused')
    .option('--reason <text>', 'why; it stands in the report')
    .action(
      act(async (options, id: string) =>
        (await import('./commands/incidents.ts')).incidentsReject(id, options, terminal),
      ),
    );
  incidents
    .command('abort <id>')
    .description('end an incident now; its latches stay')
    .option('--reason <text>', 'why; it stands in the report')
    .action(
      act(async (options, id: string) =>
        (await import('./commands/incidents.ts')).incidentsAbort(id, options, terminal),
      ),
    );
}
