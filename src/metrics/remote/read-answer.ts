import { type ReadingElement, toReadingValue } from '../../core/observed.ts';
import { type RemoteAnswer, RemoteFault } from './remote-query.ts';

/** Results with more elements than this are cut; a policy that judges so many at once is a mistake. */
const ELEMENTS_KEPT = 1000;
const LONGEST_EXCERPT = 200;

/** Remarks about the query, of which nothing is missing: the annotations of Prometheus' own evaluator. */
const ANNOTATION = /^PromQL (info|warning):/;

/** The answer of `/api/v1/query`: https://prometheus.io/docs/prometheus/latest/querying/api/. Throws a RemoteFault. */
export function readAnswer(status: number, body: string): RemoteAnswer {
  const answer = parseObject(body);
  if (status === 401 || status === 403) throw new RemoteFault('refused', `status ${status}: ${saidIn(answer, body)}`);
  if (status === 429 || status >= 500)
    throw new RemoteFault('unavailable', `status ${status}: ${saidIn(answer, body)}`);
  if (answer?.['status'] === 'error') throw errorOf(status, answer, body);
  if (status !== 200) {
    const expected = 'expected 200: does the url end where /api/v1 begins?';
    throw new RemoteFault('bad_answer', `status ${status}; ${expected} ${excerpt(body)}`);
  }
  if (answer?.['status'] !== 'success') {
    throw new RemoteFault('bad_answer', `expected JSON with "status":"success", found ${excerpt(body)}`);
  }
  return { elements: readElements(answer['data'], body), partial: warningsOf(answer) };
}

/** The answer of `/api/v1/status/buildinfo`; undefined if it is none. Mimir names itself, Prometheus does not. */
export function readVersion(status: number, body: string): string | undefined {
  const data = status === 200 ? parseObject(body)?.['data'] : undefined;
  if (!isObject(data) || typeof data['version'] !== 'string') return undefined;
  const application = typeof data['application'] === 'string' ? `${data['application']} ` : '';
  return `${application}${data['version']}`.slice(0, LONGEST_EXCERPT);
}

type JsonObject = { readonly [key: string]: unknown };

function parseObject(body: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function errorOf(status: number, answer: JsonObject, body: string): RemoteFault {
  const text = `${saidIn(answer, body)} (status ${status})`;
  switch (answer['errorType']) {
    case 'timeout':
    case 'canceled':
    case 'unavailable':
    case 'internal':
    case 'too_many_requests':
      return new RemoteFault('unavailable', text);
    default:
      return new RemoteFault('bad_query', text);
  }
}

function saidIn(answer: JsonObject | undefined, body: string): string {
  const error = answer?.['error'] ?? answer?.['message'];
  return typeof error === 'string' ? error.slice(0, LONGEST_EXCERPT) : excerpt(body);
}

function warningsOf(answer: JsonObject): string[] {
  const warnings: readonly unknown[] = Array.isArray(answer['warnings']) ? answer['warnings'] : [];
  const texts = warnings.filter((warning) => typeof warning === 'string' && !ANNOTATION.test(warning));
  const partial = texts.map((warning) => String(warning).slice(0, LONGEST_EXCERPT));
  // VictoriaMetrics says it by a field of its own.
  return answer['isPartial'] === true ? [...partial, 'the server says that the answer is partial'] : partial;
}

function readElements(data: unknown, body: string): ReadingElement[] {
  const { resultType, result } = isObject(data) ? data : {};
  if (!Array.isArray(result)) throw new RemoteFault('bad_answer', `expected a result, found ${excerpt(body)}`);
  switch (resultType) {
    case 'scalar':
      return [{ labels: {}, value: readPoint(result) }];
    case 'vector':
      return result.slice(0, ELEMENTS_KEPT).map(readElement);
    case 'string':
    case 'matrix':
      throw new RemoteFault('bad_query', `the query gives a ${resultType}; expected an instant vector`);
    default:
      throw new RemoteFault('bad_answer', `expected a resultType vector, found ${excerpt(String(resultType))}`);
  }
}

function readElement(element: unknown): ReadingElement {
  if (!isObject(element) || !isObject(element['metric'])) {
    throw new RemoteFault('bad_answer', `expected an element with a metric, found ${excerpt(JSON.stringify(element))}`);
  }
  if (element['histogram'] !== undefined) {
    const mend = 'take a number of it, with histogram_quantile(…) or histogram_count(…)';
    throw new RemoteFault('bad_query', `the query gives a native histogram, which no threshold can judge; ${mend}`);
  }
  const pairs = Object.entries(element['metric']).map(([name, value]) => [name, String(value)] as const);
  return { labels: Object.fromEntries(pairs), value: readPoint(element['value']) };
}

/** `[seconds, "value"]`: values are texts, as JSON has no NaN. */
function readPoint(point: unknown): ReadingElement['value'] {
  const text: unknown = Array.isArray(point) ? point[1] : undefined;
  switch (text) {
    case 'NaN':
    case '+Inf':
    case '-Inf':
      return text;
    default: {
      const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
      if (Number.isFinite(value)) return toReadingValue(value);
      throw new RemoteFault('bad_answer', `expected [time, "number"], found ${excerpt(JSON.stringify(point))}`);
    }
  }
}

function excerpt(text: string | undefined): string {
  const line = (text ?? 'nothing').replace(/\s+/g, ' ').trim();
  if (line === '') return 'an empty answer';
  if (/^<(!doctype|html)/i.test(line)) return `an HTML page (${line.slice(0, 80)}…)`;
  return line.length > LONGEST_EXCERPT ? `${line.slice(0, LONGEST_EXCERPT)}…` : line;
}
