/** Milliseconds since the epoch, as SQL shows instants. */
const instant = (millis: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', (${millis}) / 1000.0, 'unixepoch')`;

/** UUIDs of version 8 (RFC 9562): what tells the store from others, and a number that is its own within a table. */
const uuid = (number: string): string => `s.prefix || printf('%012x', ${number})`;

/** The same of another table's row, if there is one. */
const reference = (number: string): string => `iif(${number} IS NULL, NULL, ${uuid(number)})`;

/** Whole numbers without a fraction, as JavaScript and PostgreSQL show them. */
const plain = (value: string): string =>
  `iif(abs(${value}) < 9e15 AND ${value} = CAST(${value} AS INTEGER), CAST(${value} AS INTEGER), ${value})`;

/** From the rows that are wanted to what memory has of them: the other way it would go through all points. */
const POINTS = "point_rows p CROSS JOIN memory m ON m.field = 'points' AND m.key = p.point, projected_store s";

/**
 * The third step of the schema: the five tables of the operator guide, as views. What is not known by the log, by memory
 * or by an incident is in rows of its own, numbered by the event that they began with.
 */
export const PROJECTION_SCHEMA = `
  CREATE TABLE point_rows (
    event INTEGER PRIMARY KEY, changed INTEGER NOT NULL, changed_at INTEGER NOT NULL, point TEXT NOT NULL UNIQUE
  ) STRICT;
  CREATE INDEX point_rows_by_change ON point_rows (changed);

  -- Points that are deleted, so that copies of their rows elsewhere go too.
  CREATE TABLE gone_points (event INTEGER NOT NULL, point INTEGER NOT NULL, PRIMARY KEY (event, point)) STRICT, WITHOUT ROWID;

  CREATE TABLE operation_rows (
    event INTEGER PRIMARY KEY, changed INTEGER NOT NULL, operation TEXT NOT NULL, type TEXT NOT NULL, point INTEGER,
    status TEXT NOT NULL, progress INTEGER NOT NULL, error TEXT, planned_at INTEGER NOT NULL, started_at INTEGER,
    completed_at INTEGER, changed_at INTEGER NOT NULL, strategy TEXT, log TEXT NOT NULL
  ) STRICT;
  CREATE INDEX operation_rows_by_change ON operation_rows (changed);
  CREATE INDEX operation_rows_open ON operation_rows (operation) WHERE completed_at IS NULL;

  -- Several of one event: its number and four more bits, or, of many snapshots, as they come.
  CREATE TABLE figure_rows (
    event INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, value REAL NOT NULL, unit TEXT, tags TEXT NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (event, number)
  ) STRICT, WITHOUT ROWID;

  -- What an event is about, where it is about one point or operation; the session is the one that the point was begun in.
  CREATE TABLE event_references (event INTEGER PRIMARY KEY, point INTEGER, operation INTEGER, session TEXT) STRICT;

  -- After which event the rows of an older store are still to be made; empty when there are all.
  CREATE TABLE projection_owed (after INTEGER NOT NULL) STRICT;
  INSERT INTO projection_owed SELECT 0 WHERE EXISTS (SELECT 1 FROM events);

  CREATE VIEW projected_store AS
    SELECT printf('%s-%s-8%s-8%s-', substr(hash, 1, 8), substr(hash, 9, 4), substr(hash, 13, 3), substr(hash, 16, 3)) AS prefix,
      (SELECT data ->> 'host' FROM events WHERE type = 'daemon.started' ORDER BY seq DESC LIMIT 1) AS host
    FROM events WHERE seq = 1;

  CREATE VIEW rollback_points AS
    SELECT ${uuid('p.event')} AS id, coalesce(m.json ->> 'name', p.point) AS name, m.json ->> 'description' AS description,
      ${instant("coalesce(m.json ->> 'completedAt', m.json ->> 'createdAt')")} AS timestamp,
      ${instant("m.json ->> 'completedAt' + m.json ->> 'ttlMs'")} AS expires_at,
      m.json ->> 'session' AS session_id, coalesce(m.json -> 'metadata', '{}') AS metadata,
      ${instant("m.json ->> 'createdAt'")} AS created_at, ${instant('p.changed_at')} AS updated_at,
      s.host AS host, p.point AS point, m.json ->> 'state' AS state, m.json ->> 'policy' AS policy,
      p.event AS first_event, p.changed AS last_event
    FROM ${POINTS};

  CREATE VIEW rollback_snapshots AS
    SELECT ${uuid('p.event * 10000 + j.key')} AS id, ${uuid('p.event')} AS rollback_point_id, j.value ->> 'type' AS type,
      j.value AS data, j.value ->> 'bytes' AS size_bytes, j.value ->> 'manifest' AS checksum,
      j.value ->> 'compression' AS compression_type, ${instant("j.value ->> 'to'")} AS created_at,
      s.host AS host, p.event AS first_event, p.changed AS last_event
    FROM ${POINTS}, json_each(m.json, '$.snapshots') j;

  CREATE VIEW rollback_operations AS
    SELECT ${uuid('o.event')} AS id, o.type AS type, ${reference('p.event')} AS target_rollback_point_id, o.status AS status,
      o.progress AS progress, o.error AS error_message, ${instant('o.started_at')} AS started_at,
      ${instant('o.completed_at')} AS completed_at, o.strategy AS strategy, o.log AS log_entries,
      ${instant('o.planned_at')} AS created_at, ${instant('o.changed_at')} AS updated_at,
      s.host AS host, o.operation AS operation, o.event AS first_event, o.changed AS last_event
    FROM operation_rows o JOIN projected_store s LEFT JOIN point_rows p ON p.event = o.point;

  CREATE VIEW rollback_metrics AS
    SELECT ${uuid('f.event * 10000 + f.number')} AS id, f.name AS metric_name, ${plain('f.value')} AS metric_value,
      f.unit AS metric_unit, f.tags AS tags, ${instant('f.at')} AS recorded_at, s.host AS host, f.event AS event
    FROM figure_rows f, projected_store s;

  CREATE VIEW rollback_audit_log AS
    SELECT ${uuid('e.seq')} AS id, ${reference('p.event')} AS rollback_point_id, ${reference('o.event')} AS operation_id,
      e.type AS event_type, e.data AS event_data, e.actor AS user_id, r.session AS session_id,
      NULL AS ip_address, NULL AS user_agent, ${instant('e.at')} AS created_at, s.host AS host, e.seq AS event, e.hash AS hash
    FROM events e JOIN projected_store s LEFT JOIN event_references r ON r.event = e.seq
      LEFT JOIN point_rows p ON p.event = r.point LEFT JOIN operation_rows o ON o.event = r.operation;

  CREATE VIEW rollback_statistics AS
    SELECT (SELECT count(*) FROM rollback_points) AS total_points,
      (SELECT count(*) FROM rollback_points WHERE state = 'valid') AS valid_points,
      (SELECT count(*) FROM rollback_snapshots) AS total_snapshots,
      (SELECT coalesce(sum(size_bytes), 0) FROM rollback_snapshots) AS snapshot_bytes,
      (SELECT count(*) FROM operation_rows) AS total_operations,
      (SELECT count(*) FROM operation_rows WHERE completed_at IS NULL) AS pending_operations,
      (SELECT count(*) FROM operation_rows WHERE progress = 100) AS successful_operations,
      (SELECT count(*) FROM operation_rows WHERE completed_at IS NOT NULL AND progress < 100) AS failed_operations,
      (SELECT avg(completed_at - started_at) FROM operation_rows) AS average_duration_ms,
      (SELECT count(*) FROM events) AS audit_entries;
`;
