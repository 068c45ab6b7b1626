/**
 * Places at which a test has the daemon die as if by `kill -9`. `REVERTD_TEST_KILL_AT=NAME` kills at the first passage,
 * `NAME@3` at the third. Without the variable this does nothing at all.
 */
const wanted = parse(process.env['REVERTD_TEST_KILL_AT']);
let passages = 0;

export function faultPoint(name: string): void {
  if (wanted === null || wanted.name !== name) return;
  passages += 1;
  if (passages === wanted.passage) process.kill(process.pid, 'SIGKILL');
}

function parse(text: string | undefined): { readonly name: string; readonly passage: number } | null {
  if (text === undefined || text === '') return null;
  const [name = '', passage = '1'] = text.split('@');
  return { name, passage: Number(passage) };
}
