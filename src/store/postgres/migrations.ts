/** One step of the schema. `sql` names nothing of a schema: that is the search path. Once released it is never changed. */
export type Migration = { readonly name: string; readonly sql: string };

/** Forward only. The index plus one is the step's number. */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'the five tables',
    sql: `
CREATE TABLE rollback_points (
  id uuid PRIMARY KEY, name text NOT NULL, description text, timestamp timestamptz NOT NULL, expires_at timestamptz,
  session_id text, metadata jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  host text NOT NULL, point text NOT NULL, state text NOT NULL, policy text,
  first_event bigint NOT NULL, last_event bigint NOT NULL
);
CREATE INDEX rollback_points_created ON rollback_points (created_at);

CREATE TABLE rollback_snapshots (
  id uuid PRIMARY KEY, rollback_point_id uuid NOT NULL REFERENCES rollback_points ON DELETE CASCADE, type text NOT NULL,
  data jsonb NOT NULL, size_bytes bigint NOT NULL, checksum text NOT NULL, compression_type text NOT NULL,
  created_at timestamptz NOT NULL, host text NOT NULL, first_event bigint NOT NULL, last_event bigint NOT NULL
);
CREATE INDEX rollback_snapshots_point ON rollback_snapshots (rollback_point_id);

CREATE TABLE rollback_operations (
  id uuid PRIMARY KEY, type text NOT NULL, target_rollback_point_id uuid REFERENCES rollback_points ON DELETE SET NULL,
  status text NOT NULL, progress integer NOT NULL, error_message text, started_at timestamptz, completed_at timestamptz,
  strategy text, log_entries jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  host text NOT NULL, operation text NOT NULL, first_event bigint NOT NULL, last_event bigint NOT NULL
);
CREATE INDEX rollback_operations_created ON rollback_operations (created_at);
CREATE INDEX rollback_operations_started ON rollback_operations (started_at) INCLUDE (type, status, completed_at);
CREATE INDEX rollback_operations_completed ON rollback_operations (completed_at);
CREATE INDEX rollback_operations_point ON rollback_operations (target_rollback_point_id);

CREATE TABLE rollback_metrics (
  id uuid PRIMARY KEY, metric_name text NOT NULL, metric_value numeric NOT NULL, metric_unit text, tags jsonb NOT NULL,
  recorded_at timestamptz NOT NULL, host text NOT NULL, event bigint NOT NULL
);
CREATE INDEX rollback_metrics_recorded ON rollback_metrics (metric_name, recorded_at);

CREATE TABLE rollback_audit_log (
  id uuid PRIMARY KEY, rollback_point_id uuid REFERENCES rollback_points ON DELETE SET NULL,
  operation_id uuid REFERENCES rollback_operations ON DELETE SET NULL, event_type text NOT NULL, event_data jsonb NOT NULL,
  user_id text NOT NULL, session_id text, ip_address inet, user_agent text, created_at timestamptz NOT NULL,
  host text NOT NULL, event bigint NOT NULL, hash text NOT NULL
);
CREATE INDEX rollback_audit_log_created ON rollback_audit_log (created_at);
CREATE INDEX rollback_audit_log_point ON rollback_audit_log (rollback_point_id);
CREATE INDEX rollback_audit_log_operation ON rollback_audit_log (operation_id);

-- Up to which event of its log each store is here. It moves in the transaction that writes the rows.
CREATE TABLE projection_positions (
  store uuid PRIMARY KEY, host text NOT NULL, event bigint NOT NULL, hash text NOT NULL, updated_at timestamptz NOT NULL
);

CREATE FUNCTION get_rollback_statistics() RETURNS TABLE (
  total_points bigint, valid_points bigint, total_snapshots bigint, snapshot_bytes bigint, total_operations bigint,
  pending_operations bigint, successful_operations bigint, failed_operations bigint, average_duration_ms double precision,
  audit_entries bigint
) LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
  SELECT (SELECT count(*) FROM rollback_points), (SELECT count(*) FROM rollback_points WHERE state = 'valid'),
    (SELECT count(*) FROM rollback_snapshots), (SELECT coalesce(sum(size_bytes), 0)::bigint FROM rollback_snapshots),
    count(*), count(*) FILTER (WHERE completed_at IS NULL), count(*) FILTER (WHERE progress = 100),
    count(*) FILTER (WHERE completed_at IS NOT NULL AND progress < 100),
    avg(extract(epoch FROM completed_at - started_at) * 1000)::double precision,
    (SELECT count(*) FROM rollback_audit_log)
  FROM rollback_operations
$$;
COMMENT ON FUNCTION get_rollback_statistics IS 'How much there is, over all hosts';

CREATE FUNCTION cleanup_old_operations(hours integer) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE removed bigint;
BEGIN
  IF hours IS NULL OR hours < 0 THEN
    RAISE EXCEPTION 'cleanup_old_operations(%): expected how many hours to keep, 0 or more', hours USING ERRCODE = '22023';
  END IF;
  DELETE FROM rollback_operations WHERE completed_at < now() - make_interval(hours => hours);
  GET DIAGNOSTICS removed = ROW_COUNT;
  RETURN removed;
END
$$;
COMMENT ON FUNCTION cleanup_old_operations IS 'Deletes operations that ended more than so many hours ago; what the audit log says of them stays';

CREATE FUNCTION rebuild_projection(of_host text) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  place projection_positions;
  last_id uuid;
  stores bigint := 0;
BEGIN
  FOR place IN SELECT * FROM projection_positions WHERE host = of_host ORDER BY store FOR UPDATE LOOP
    last_id := (left(place.store::text, 24) || 'ffffffffffff')::uuid;
    DELETE FROM rollback_audit_log WHERE id BETWEEN place.store AND last_id;
    DELETE FROM rollback_metrics WHERE id BETWEEN place.store AND last_id;
    DELETE FROM rollback_operations WHERE id BETWEEN place.store AND last_id;
    DELETE FROM rollback_points WHERE id BETWEEN place.store AND last_id;
    DELETE FROM projection_positions WHERE store = place.store;
    stores := stores + 1;
  END LOOP;
  IF stores = 0 THEN
    RAISE EXCEPTION 'no rows of host "%"; the hosts are in projection_positions', of_host USING ERRCODE = '22023';
  END IF;
  RETURN stores;
END
$$;
COMMENT ON FUNCTION rebuild_projection IS 'Deletes the rows of a host; its daemon copies them anew from its log';
`,
  },
];
