/** A capability of one of the four systems' runbooks that revertd has to show. */
export type Row = {
  readonly id: string;
  readonly capability: string;
  /** `none`: revertd's own doing; no pack can express it, so its tests alone decide. */
  readonly policy: 'needed' | 'none';
};

export type RunbookSystem = { readonly pack: string; readonly rows: readonly Row[] };

function needed(id: string, capability: string): Row {
  return { id, capability, policy: 'needed' };
}

function ownDoing(id: string, capability: string): Row {
  return { id, capability, policy: 'none' };
}

/** The rows in the order of the runbooks, one system for each folder under policies/. */
export const SYSTEMS: readonly RunbookSystem[] = [
  {
    pack: 'memento',
    rows: [
      needed('M1', 'Points carry a name, a description, a session, metadata and an expiry, however they are created'),
      needed('M2', 'Snapshots of several types, compressed, with checksums and validation states'),
      ownDoing('M3', 'What differs between a point and the live state'),
      needed('M4', 'Four classes of conflict and five ways to resolve them'),
      needed('M5', 'Rollbacks at once, in part, by time, and as a dry run'),
      ownDoing('M6', 'A memory cache, PostgreSQL, and both with tiering'),
      needed('M7', 'Limits, lifetimes and cleanup as settings and environment names'),
      ownDoing('M8', 'The five tables and the two SQL functions'),
      needed('M9', 'Summary, metrics, and alerts on four thresholds with resolution times'),
      ownDoing('M10', 'Every request of the guide is answered; metrics for Prometheus'),
      ownDoing('M11', 'The report over a period'),
      needed('M12', 'Backup and recovery of the rollback data itself, and its validation'),
      ownDoing('M13', 'Who may do what, proved, limited, recorded and encrypted'),
      ownDoing('M14', 'Several instances, of which one acts'),
      ownDoing('M15', 'The states of points and operations as drawn in the diagrams'),
      needed('M16', 'A knowledge graph goes back in part or whole, with its dependencies'),
      ownDoing('M17', 'Command line, REST, web page, Slack, Grafana'),
    ],
  },
  {
    pack: 'mem0-stack',
    rows: [
      needed('R1', 'Latency, errors, memory or an outage start a rollback by themselves'),
      needed('R2', 'Caching off in two services; then both files of the previous revision and a fresh start'),
      needed('R3', 'Indexes replaced in PostgreSQL and in Neo4j'),
      needed('R4', 'Connection pool: reload, restart, previous compose file'),
      needed('R5', "A previous algorithm back; the last hour's rows counted, then removed"),
      needed('R6', 'A single file back to the previous revision; fewer workers'),
      needed('R7', "Autonomous mode off; a client's settings file back"),
      needed('R8', 'The monitoring stack and its alert rules back'),
      needed('R9', 'Databases dumped and put back, services in order'),
      needed('R10', 'Emergency: everything back at once; autonomous work stopped'),
      needed('R11', 'Validated by health, databases, latency of real operations, and counts'),
      needed('R12', 'An incident report; who hears what within 5 and 30 minutes'),
      needed('R13', 'Monthly drills with measured recovery times'),
    ],
  },
  {
    pack: 'abathur',
    rows: [
      needed('A1', 'Four ways back with bounded time and data loss, all within the hour'),
      needed('A2', 'A database made anew, the failed one kept for forensics'),
      needed('A3', "One milestone's tables and indexes dropped, the core's kept"),
      needed('A4', "A feature's flags off, its services stopped, exact match instead"),
      needed('A5', 'Production: stopped, assessed, restored from the newest verified backup, validated in time'),
      needed('A6', 'Daily and manual backups, verified, kept 30 days, restored with a safety copy'),
      needed('A7', 'Corruption of the database or its log, and a full disk, noticed and answered'),
      needed('A8', 'Quarterly drills with target times'),
      needed('A9', 'Escalation by levels with time limits'),
      needed('A10', 'A checklist decides whether it worked; a post-mortem follows'),
    ],
  },
  {
    pack: 'memory-system',
    rows: [
      needed('P1', 'Eight scenarios: roll back, or repair within 30 minutes'),
      needed('P2', 'Who may approve what, who may override, who is told'),
      needed('P3', 'Flags, code and database as one ladder that begins with the flags'),
      needed('P4', 'Flags by environment file, by configuration file with SIGHUP, by admin API'),
      needed('P5', 'A checklist decides between success and the next rung'),
      needed('P6', 'Features come back by 1, 10, 50 and 100 %'),
      needed('P7', 'Code back to the last good revision: stop, replace, start, health'),
      needed('P8', 'Database: loss told beforehand, verified backup elsewhere, tables dropped, matching code'),
      needed('P9', 'The backup goes back when the rollback fails'),
      needed('P10', 'The rollback is rehearsed before it is needed, and every quarter'),
      needed('P11', 'Messages at the start, every 15 minutes, at the end, and for approval'),
      needed('P12', 'Every threshold of the matrix as a query'),
      needed('P13', 'No rollbacks in rapid succession'),
    ],
  },
];

export const ROW_IDS: ReadonlySet<string> = new Set(SYSTEMS.flatMap(({ rows }) => rows.map(({ id }) => id)));
