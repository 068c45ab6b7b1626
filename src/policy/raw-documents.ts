import type { Strategy } from '../core/merge/conflict.ts';
import type { ContainerCondition, UnitState } from '../core/model/check.ts';
import type { DrillMode } from '../core/model/drill.ts';
import type { FileFormat } from '../core/model/edit-file-step.ts';
import type { FlagMetadata } from '../core/model/flag.ts';
import type { JsonExpectation } from '../core/model/http-expectation.ts';
import type { SqlQuery, TlsFiles } from '../core/model/metric-source.ts';
import type { NotificationTopic } from '../core/model/notifier.ts';
import type { SecretRef } from '../core/model/secret-ref.ts';
import type { RowBounds, SqlValue } from '../core/model/sql-step.ts';
import type { JsonValue } from '../core/model/step.ts';
import type { Kind } from './kinds.ts';

/**
 * Documents as authors write them, after the schemas have accepted them. Durations, sizes and addresses are still
 * text, with `${host.NAME}` in them until it is filled in.
 */
export type RawDocuments = {
  readonly MetricSource: RawDocument<RawMetricSource>;
  readonly Target: RawDocument<RawTarget>;
  readonly Flag: RawDocument<RawFlag>;
  readonly RollbackPolicy: RawDocument<RawRollbackPolicy>;
  readonly Notifier: RawDocument<RawNotifier>;
  readonly Window: RawDocument<RawWindow>;
  readonly Drill: RawDocument<RawDrill>;
  readonly PointPolicy: RawDocument<RawPointPolicy>;
};

export type AnyRawDocument = RawDocuments[Kind];

export type RawDocument<Spec> = { readonly metadata: { readonly name: string }; readonly spec: RawSpec & Spec };
export type RawHosts = { readonly matchLabels: RawTexts };
export type RawSpec = { readonly suspend?: boolean; readonly hosts?: RawHosts };
export type RawTexts = Readonly<Record<string, string>>;
export type RawHeaders = Readonly<Record<string, string | SecretRef>>;
export type RawStatus = number | readonly number[];

export type RawMetricSource = {
  readonly interval?: string;
  readonly scrape?: RawScrape;
  readonly probe?: { readonly http?: RawHttpProbe; readonly tcp?: RawTcpProbe; readonly unit?: RawUnitProbe };
  readonly host?: RawHostSource;
  readonly sql?: RawSql;
  readonly command?: RawCommand;
  readonly prometheus?: RawPrometheus;
};

export type RawScrape = {
  readonly targets: readonly string[];
  readonly labels?: RawTexts;
  readonly timeout?: string;
  readonly auth?: RawAuth;
  readonly tls?: TlsFiles;
  readonly limits?: RawLimits;
};

export type RawAuth = {
  readonly basic?: { readonly username: string; readonly password: SecretRef };
  readonly bearer?: SecretRef;
};

export type RawLimits = { readonly bytes?: string; readonly samples?: number };

export type RawHttpProbe = {
  readonly method?: string;
  readonly url: string;
  readonly headers?: RawHeaders;
  readonly auth?: RawAuth;
  readonly tls?: TlsFiles;
  readonly body?: JsonValue;
  readonly status?: RawStatus;
  readonly bodyContains?: string;
  readonly bodyMatches?: string;
  readonly timeout?: string;
};

export type RawTcpProbe = {
  readonly address: string;
  readonly tls?: true | TlsFiles;
  readonly bannerMatches?: string;
  readonly timeout?: string;
};

export type RawUnitProbe = { readonly name: string; readonly is?: UnitState; readonly timeout?: string };

export type RawHostSource = {
  readonly units?: readonly string[];
  readonly filesystems?: readonly string[];
  readonly labels?: RawTexts;
  readonly timeout?: string;
};

export type RawSql = {
  readonly postgres?: SecretRef;
  readonly sqlite?: { readonly path: string };
  readonly queries: readonly SqlQuery[];
  readonly labels?: RawTexts;
  readonly timeout?: string;
};

export type RawCommand = {
  readonly argv: readonly string[];
  readonly labels?: RawTexts;
  readonly timeout?: string;
  readonly limits?: RawLimits;
};

export type RawPrometheus = {
  readonly url: string;
  readonly headers?: RawHeaders;
  readonly auth?: RawAuth;
  readonly tls?: TlsFiles;
  readonly timeout?: string;
  readonly retries?: number;
};

export type RawTarget = {
  readonly git?: RawGitTarget;
  readonly files?: RawFilesTarget;
  readonly sqlite?: { readonly path: string };
  readonly http?: RawHttpTarget;
  readonly command?: RawCommandTarget;
  readonly postgres?: RawPostgresTarget;
  readonly flags?: { readonly only?: readonly string[] };
  readonly rows?: RawSqlDatabase & { readonly tables: readonly string[] };
  readonly quiesce?: readonly RawStep[];
  readonly check?: readonly RawCheck[];
};

export type RawPostgresTarget = {
  readonly connection: SecretRef;
  readonly schemas?: readonly string[];
  readonly tables?: readonly string[];
};

export type RawFilesTarget = {
  readonly paths: readonly string[];
  readonly exclude?: readonly string[];
  readonly oneFileSystem?: boolean;
};

export type RawHttpTarget = {
  readonly url: string;
  readonly headers?: RawHeaders;
  readonly auth?: RawAuth;
  readonly method?: 'PUT' | 'POST';
  readonly ignore?: readonly string[];
  readonly timeout?: string;
  readonly maxBytes?: string;
};

export type RawCommandTarget = {
  readonly capture: readonly string[];
  readonly restore: readonly string[];
  readonly observe?: readonly string[];
  readonly cwd?: string;
  readonly env?: RawHeaders;
  readonly user?: string;
  readonly timeout?: string;
  readonly maxBytes?: string;
};

export type RawGitTarget = {
  readonly path: string;
  readonly track?: string | { readonly ref: string; readonly remote?: string; readonly interval?: string };
  readonly build?: readonly RawStep[];
  readonly publish?: { readonly from: string; readonly to: string };
  readonly activate?: readonly RawStep[];
  readonly bake?: string;
};

export type RawFlag = {
  readonly state?: 'ENABLED' | 'DISABLED';
  readonly variants: Readonly<Record<string, JsonValue>>;
  readonly defaultVariant: string;
  readonly safeVariant?: string;
  readonly targeting?: JsonValue;
  readonly evaluators?: Readonly<Record<string, JsonValue>>;
  readonly metadata?: FlagMetadata;
  readonly drift?: 'repair' | 'report';
  readonly deliver?: readonly RawPlace[];
};

export type RawPlace = {
  readonly hosts?: RawHosts;
  readonly envFile?: { readonly container?: string; readonly path: string; readonly key: string };
  readonly file?: { readonly container?: string; readonly path: string; readonly pointer: string };
  readonly then?: readonly RawStep[];
};

export type RawNotifier = {
  readonly on?: readonly NotificationTopic[];
  readonly timeout?: string;
  readonly templates?: Readonly<Partial<Record<NotificationTopic, string>>>;
  readonly webhook?: RawWebhook;
  readonly slack?: { readonly url: string | SecretRef };
  readonly email?: RawEmail;
  readonly alertmanager?: { readonly url: string; readonly headers?: RawHeaders; readonly labels?: RawTexts };
  readonly command?: { readonly argv: readonly string[] };
};

export type RawPointPolicy = {
  readonly targets: readonly string[];
  readonly consistency?: 'live' | 'quiesced';
  readonly timezone?: string;
  readonly take?: {
    readonly schedule?: string;
    readonly before?: readonly ('rollback' | 'revision')[];
    readonly after?: readonly 'revision'[];
  };
  readonly ttl?: string;
  readonly retain?: RawRetain;
  readonly prune?: { readonly maxFraction?: number; readonly grace?: string };
  readonly compression?: 'zstd' | 'gzip' | 'none';
  readonly verify?: { readonly schedule: string; readonly restoreTest?: boolean };
  readonly copies?: readonly RawPointCopy[];
};

export type RawPointCopy = {
  readonly name?: string;
  readonly command: readonly string[];
  readonly env?: RawHeaders;
  readonly timeout?: string;
};

export type RawRetain = {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  readonly within?: string;
  readonly maxPoints?: number;
  readonly maxBytes?: string;
};

export type RawWindow = {
  readonly type: 'allow' | 'deny';
  readonly schedule: string;
  readonly duration: string;
  readonly timezone?: string;
  readonly applies?: {
    readonly kinds?: readonly ('Flag' | 'Target')[];
    readonly flags?: readonly string[];
    readonly targets?: readonly string[];
  };
};

export type RawDrill = {
  readonly schedule?: string;
  readonly timezone?: string;
  readonly policy: string;
  readonly rungs?: readonly string[];
  readonly mode: DrillMode;
  readonly rto?: string;
  readonly notify?: readonly string[];
};

export type RawWebhook = {
  readonly url: string | SecretRef;
  readonly headers?: RawHeaders;
  readonly secret?: SecretRef;
  readonly body?: JsonValue;
};

export type RawEmail = {
  readonly to: readonly string[];
  readonly from: string;
  readonly server: string;
  readonly auth?: { readonly username: string; readonly password: SecretRef };
  readonly tls?: TlsFiles;
};

export type RawRollbackPolicy = {
  readonly triggers?: readonly RawTrigger[];
  readonly match?: 'any' | 'all' | { readonly atLeast: number };
  readonly ladder?: readonly RawRung[];
  readonly cooldown?: string;
  readonly limit?: { readonly rollbacks: number; readonly per: string };
  readonly rto?: string;
  readonly notify?: readonly string[];
  readonly escalate?: readonly { readonly after: string; readonly notify: readonly string[] }[];
  readonly updates?: { readonly every: string };
  readonly release?: { readonly flags?: RawRelease };
};

export type RawRelease = 'onFlagChange' | 'manual' | { readonly onFix: string } | { readonly after: string };

export type RawThreshold = {
  readonly above?: number;
  readonly below?: number;
  readonly outside?: readonly [number, number];
};

export type RawBaseline = { readonly baseline: number; readonly over: string };

export type RawTrigger = Omit<RawThreshold, 'above' | 'below'> & {
  readonly above?: number | RawBaseline;
  readonly below?: number | RawBaseline;
  readonly name: string;
  readonly query: string;
  readonly source?: string;
  readonly for?: string;
  readonly clear?: { readonly above?: number; readonly below?: number; readonly for?: string };
  readonly noData?: 'hold' | 'fire' | 'clear';
  readonly severity?: 'critical' | 'warning';
  readonly startAt?: string;
  readonly decision?: { readonly fixForward: string };
};

export type RawApproval = {
  readonly roles: Readonly<Record<string, number>>;
  readonly within?: string;
  readonly onTimeout?: 'escalate' | 'abort';
  readonly override?: {
    readonly role: string;
    readonly when: readonly RawCheck[];
    readonly notify?: readonly string[];
  };
};

export type RawDataLoss = {
  readonly target?: string;
  readonly text?: string;
  readonly count?: string | Readonly<Record<string, string | RawMeasure>>;
};

export type RawMeasure =
  | { readonly query: string; readonly sql?: undefined }
  | {
      readonly sql: RawSqlDatabase & { readonly query: string; readonly timeout?: string };
      readonly query?: undefined;
    };

export type RawRung = {
  readonly rung: string;
  readonly when?: readonly RawCheck[];
  readonly dataLoss?: RawDataLoss;
  readonly approval?: RawApproval;
  readonly do: readonly RawStep[];
  readonly onFailure?: readonly RawStep[];
  readonly verify?: RawVerify;
  readonly notify?: readonly string[];
};

export type RawVerify = {
  readonly settle?: string;
  readonly within?: string;
  readonly for?: string;
  readonly triggersClear?: boolean;
  readonly onInconclusive?: 'ask' | 'next' | 'done';
  readonly checks?: readonly RawCheck[];
};

export type RawStep = {
  readonly when?: readonly RawCheck[];
  readonly setFlag?: RawSetFlag;
  readonly restore?: RawRestore;
  readonly createPoint?: RawCreatePoint;
  readonly service?: RawService;
  readonly container?: RawContainerStep;
  readonly http?: RawHttpStep;
  readonly run?: RawRunStep;
  readonly sql?: RawSqlStep;
  readonly editFile?: RawEditFile;
  readonly gitCommit?: RawGitCommit;
  readonly notify?: RawNotifyStep;
  readonly waitFor?: RawWaitFor;
};

export type RawSqlDatabase = { readonly postgres?: SecretRef; readonly sqlite?: string };
export type RawRowBounds = number | RowBounds;
/** Of a statement, which may also be bound by what people agreed to lose. */
export type RawRowGuard =
  | number
  | { readonly atLeast?: number; readonly atMost?: number | 'counted' | { readonly counted: string } };

export type RawSqlStep = RawRepetition &
  RawSqlDatabase & {
    readonly statements?: readonly (string | { readonly text: string; readonly rows?: RawRowGuard })[];
    readonly file?: string;
    readonly params?: Readonly<Record<string, SqlValue>>;
    readonly transaction?: boolean;
    readonly require?: readonly RawSqlCondition[];
    readonly lockTimeout?: string;
    readonly timeout?: string;
  };

export type RawSqlCondition = RawThreshold & {
  readonly query: string;
  readonly equals?: SqlValue;
  readonly rows?: RawRowBounds;
};

export type RawEntryEdit = {
  readonly format?: FileFormat;
  readonly set?: Readonly<Record<string, JsonValue>>;
  readonly remove?: readonly string[];
};

export type RawEditFile = RawEntryEdit & {
  readonly path: string;
  readonly content?: string;
  readonly copyOf?: string;
  readonly timeout?: string;
};

export type RawGitCommit = {
  readonly repository?: string;
  readonly base?: string;
  readonly branch?: string;
  readonly message: string;
  readonly changes: readonly RawGitChange[];
  readonly author?: { readonly name: string; readonly email: string };
  readonly auth?: RawAuth;
  readonly sshKey?: SecretRef;
  readonly knownHostsFile?: string;
  readonly signingKey?: SecretRef;
  readonly timeout?: string;
};

export type RawGitChange = RawEntryEdit & {
  readonly flag?: string;
  readonly path?: string;
  readonly content?: string;
  readonly delete?: true;
};

export type RawNotifyStep = {
  readonly to: readonly string[];
  readonly text: string;
  readonly severity?: 'critical' | 'warning' | 'info';
};

export type RawWaitFor = { readonly checks: readonly RawCheck[]; readonly for?: string; readonly within?: string };

export type RawSetFlag = {
  readonly flag: string;
  readonly to: 'safe' | { readonly variant: string };
  readonly timeout?: string;
};

export type RawRestorePoint = {
  readonly revision?: string;
  readonly point?: string;
  readonly at?: string;
  readonly before?: 'trigger';
  readonly by?: string;
};

export type RawCreatePoint = {
  readonly policy: string;
  readonly until?: 'stored' | 'valid' | 'copied';
  readonly timeout?: string;
};

export type RawRestore = {
  readonly target: string;
  readonly to: 'lastGood' | 'latestValid' | 'safetyPoint' | RawRestorePoint;
  readonly only?: {
    readonly paths?: readonly string[];
    readonly tables?: readonly string[];
    readonly keys?: readonly string[];
  };
  readonly mode?: 'replace' | 'merge';
  readonly conflicts?: Strategy;
  readonly safety?: 'required' | 'attempt';
  readonly timeout?: string;
};

export type RawService = {
  readonly unit?: string;
  readonly pidFile?: string;
  readonly do: 'start' | 'stop' | 'restart' | 'reload' | { readonly signal: string };
  readonly timeout?: string;
};

export type RawContainerStep = RawRepetition & {
  readonly name?: string;
  readonly names?: readonly string[];
  readonly compose?: string;
  readonly project?: string;
  readonly services?: readonly string[];
  readonly do:
    | 'start'
    | 'stop'
    | 'restart'
    | 'pause'
    | 'unpause'
    | 'up'
    | 'down'
    | 'recreate'
    | { readonly signal?: string; readonly exec?: readonly string[]; readonly exit?: readonly number[] };
  readonly grace?: string;
  readonly timeout?: string;
};

export type RawRepetition = { readonly repeatable?: boolean; readonly unless?: readonly RawCheck[] };

export type RawHttpStep = RawRepetition & {
  readonly method?: string;
  readonly url: string;
  readonly headers?: RawHeaders;
  readonly auth?: RawAuth;
  readonly body?: JsonValue;
  readonly retries?: number;
  readonly timeout?: string;
} & RawHttpExpectation;

export type RawHttpExpectation = {
  readonly status?: RawStatus;
  readonly bodyContains?: string;
  readonly bodyLacks?: string;
  readonly bodyMatches?: string;
  readonly json?: readonly JsonExpectation[];
};

export type RawRunStep = RawRepetition & {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: RawHeaders;
  readonly user?: string;
  readonly unit?: { readonly memory?: string; readonly cpuPercent?: number; readonly tasks?: number };
  readonly timeout?: string;
};

export type RawCheck = {
  readonly http?: RawHttpCheck;
  readonly query?: RawThreshold & { readonly expr: string; readonly equals?: number; readonly source?: string };
  readonly unit?: {
    readonly name: string;
    readonly is: UnitState;
    readonly journal?: { readonly lines?: number };
    readonly timeout?: string;
  };
  readonly container?: RawContainerCheck;
  readonly run?: RawRunCheck;
  readonly sql?: RawSqlDatabase & RawSqlCondition & { readonly timeout?: string };
  readonly sqlite?: { readonly path: string; readonly is: 'intact' | 'corrupt'; readonly timeout?: string };
  readonly file?: RawFileCheck;
  readonly target?: RawTargetCheck;
};

export type RawTargetCheck = {
  readonly name: string;
  readonly is: 'intact' | { readonly changedSince: string };
  readonly timeout?: string;
};

export type RawFileCheck = {
  readonly path: string;
  readonly is?: 'present' | 'absent';
  readonly contains?: string;
  readonly sha256?: string;
  readonly newerThan?: string;
  readonly timeout?: string;
};

export type RawContainerCheck = {
  readonly name: string;
  readonly is?: ContainerCondition;
  readonly exitCode?: number;
  readonly restartsBelow?: number;
  readonly image?: string;
  readonly timeout?: string;
};

export type RawHttpCheck = {
  readonly method?: string;
  readonly url: string;
  readonly headers?: RawHeaders;
  readonly auth?: RawAuth;
  readonly body?: JsonValue;
  readonly timeout?: string;
} & RawHttpExpectation;

export type RawRunCheck = {
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: RawTexts;
  readonly timeout?: string;
};
