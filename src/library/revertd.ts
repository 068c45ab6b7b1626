/**
 * revertd for programs on the same host: `import { createRollbackPoint, rollback } from 'revertd'`. The daemon does the
 * work; the program's user needs the right to open its socket.
 */
export { DaemonError } from './daemon-client.ts';
export {
  type Connection,
  createRollbackPoint,
  getRollbackPoint,
  type RollbackPoint,
  type RollbackPointRequest,
  type RollbackRequest,
  type RollbackResult,
  rollback,
} from './rollback-points.ts';
