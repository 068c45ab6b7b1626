/** Serves the workload's series until it is stopped; prints its URL. */
import { createExporter } from './workload.ts';

const server = createExporter();
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/metrics\n`);
});
