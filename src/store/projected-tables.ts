/** A table of the projection: its columns, and their types in PostgreSQL. In SQLite a view has the same name and columns. */
export type ProjectedTable = {
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
  /** Which rows of the view events from `span` made or changed: after `after`, and up to `up_to`. */
  readonly rows: string;
};

const within = (column: string): string =>
  `${column} > (SELECT after FROM span) AND ${column} <= (SELECT up_to FROM span)`;

/** What was begun and what was changed since. */
const changed = (table: string): string =>
  `first_event IN (SELECT event FROM ${table} WHERE ${within('event')} UNION SELECT event FROM ${table} WHERE ${within('changed')})`;

/** In the order in which they refer to each other. */
export const PROJECTED_TABLES = {
  points: {
    name: 'rollback_points',
    columns: {
      id: 'uuid',
      name: 'text',
      description: 'text',
      timestamp: 'timestamptz',
      expires_at: 'timestamptz',
      session_id: 'text',
      metadata: 'jsonb',
      created_at: 'timestamptz',
      updated_at: 'timestamptz',
      host: 'text',
      point: 'text',
      state: 'text',
      policy: 'text',
      first_event: 'bigint',
      last_event: 'bigint',
    },
    rows: changed('point_rows'),
  },
  snapshots: {
    name: 'rollback_snapshots',
    columns: {
      id: 'uuid',
      rollback_point_id: 'uuid',
      type: 'text',
      data: 'jsonb',
      size_bytes: 'bigint',
      checksum: 'text',
      compression_type: 'text',
      created_at: 'timestamptz',
      host: 'text',
      first_event: 'bigint',
      last_event: 'bigint',
    },
    rows: changed('point_rows'),
  },
  operations: {
    name: 'rollback_operations',
    columns: {
      id: 'uuid',
      type: 'text',
      target_rollback_point_id: 'uuid',
      status: 'text',
      progress: 'integer',
      error_message: 'text',
      started_at: 'timestamptz',
      completed_at: 'timestamptz',
      strategy: 'text',
      log_entries: 'jsonb',
      created_at: 'timestamptz',
      updated_at: 'timestamptz',
      host: 'text',
      operation: 'text',
      first_event: 'bigint',
      last_event: 'bigint',
    },
    rows: changed('operation_rows'),
  },
  metrics: {
    name: 'rollback_metrics',
    columns: {
      id: 'uuid',
      metric_name: 'text',
      metric_value: 'numeric',
      metric_unit: 'text',
      tags: 'jsonb',
      recorded_at: 'timestamptz',
      host: 'text',
      event: 'bigint',
    },
    rows: within('event'),
  },
  audit: {
    name: 'rollback_audit_log',
    columns: {
      id: 'uuid',
      rollback_point_id: 'uuid',
      operation_id: 'uuid',
      event_type: 'text',
      event_data: 'jsonb',
      user_id: 'text',
      session_id: 'text',
      ip_address: 'inet',
      user_agent: 'text',
      created_at: 'timestamptz',
      host: 'text',
      event: 'bigint',
      hash: 'text',
    },
    rows: within('event'),
  },
} as const satisfies Record<string, ProjectedTable>;

export type TableKey = keyof typeof PROJECTED_TABLES;
