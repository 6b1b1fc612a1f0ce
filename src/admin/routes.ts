/**
 * Which answer an HTTP request gets, without any socket. In: method, target, headers. Out: status, headers, body. Refuses
 * strangers' Host names, unknown paths, methods that change something, request bodies; on the admin listener everything
 * but health and metrics without the admin token.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { withoutQuery } from '../model/path.js';
import { holdsToken, isOurHost } from './door.js';

export type ListenerKind = 'admin' | 'health' | 'metrics';

export interface Readiness {
  readonly ready: boolean;
  /** What is stale or missing. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AdminSources {
  /** The admin token; undefined where none is configured. */
  readonly token: () => string | undefined;
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<string>;
  /** The effective lines, as JSON shows them. */
  readonly policy: () => object;
  /** What a request to revoke something gets; `body` as text. */
  readonly revoke: (body: string) => Promise<{ readonly status: number; readonly body: object }>;
}

export interface Asked {
  readonly method: string;
  readonly target: string;
  /** Every line of a header, names in lower case. */
  readonly headers: Readonly<Record<string, string[] | undefined>>;
  /** Reads it, at most `MAX_BODY` bytes; undefined where there is more. */
  readonly body: () => Promise<string | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Bytes: an object with every field at its longest. */
export const MAX_BODY = 16 * 1024;

type Page = (sources: AdminSources) => Answer | Promise<Answer>;

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

const text = (body: string, type = 'text/plain; charset=utf-8'): Answer => ({
  status: 200,
  headers: { 'content-type': type },
  body,
});
const json = (status: number, body: object, headers: IncomingHttpHeaders = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: `${JSON.stringify(body)}\n`,
});
const error = (status: number, message: string, headers: IncomingHttpHeaders = {}): Answer =>
  json(status, { error: message }, headers);

const HEALTH: readonly [string, Page][] = [
  ['/healthz', () => text('ok\n')],
  ['/readyz', ({ readiness }) => readyPage(readiness())],
];
const METRICS: readonly [string, Page][] = [['/metrics', async ({ metrics }) => text(await metrics(), PROMETHEUS)]];

const OPEN: Readonly<Record<ListenerKind, ReadonlyMap<string, Page>>> = {
  admin: new Map([...HEALTH, ...METRICS]),
  health: new Map(HEALTH),
  metrics: new Map(METRICS),
};
/** Of the admin listener, behind the token. */
const PRIVATE: ReadonlyMap<string, Page> = new Map<string, Page>([
  ['/api/policy', ({ policy }) => json(200, policy())],
]);

const readyPage = ({ ready, detail }: Readiness): Answer => json(ready ? 200 : 503, { ready, ...detail });

/** `checkHost`: whether the Host line must name us; on a Unix socket it is any text. */
export async function answer(
  asked: Asked,
  kind: ListenerKind,
  checkHost: boolean,
  sources: AdminSources,
): Promise<Answer> {
  if (checkHost && !isOurHost(asked.headers['host']))
    return error(403, 'the Host header must be an address or localhost');
  const path = withoutQuery(asked.target);
  const open = OPEN[kind].get(path);
  if (open !== undefined) return show(open, asked, sources);
  const closed = kind === 'admin' ? refusal(asked, sources.token()) : error(404, 'not found');
  if (closed !== undefined) return closed;
  if (path === '/api/revocations') return revoke(asked, sources);
  const page = PRIVATE.get(path);
  return page === undefined ? error(404, 'not found') : show(page, asked, sources);
}

function refusal(asked: Asked, token: string | undefined): Answer | undefined {
  if (token === undefined) return error(404, 'not found; without listen.adminTokenFile there is nothing else here');
  if (holdsToken(asked.headers['authorization'], token)) return undefined;
  return error(401, 'the admin token is required', { 'www-authenticate': 'Bearer realm="firsthand"' });
}

async function revoke(asked: Asked, sources: AdminSources): Promise<Answer> {
  if (asked.method !== 'POST') return error(405, 'only POST is served here', { allow: 'POST' });
  const body = await asked.body();
  if (body === undefined) return error(413, `a body here has at most ${MAX_BODY} bytes`);
  const done = await sources.revoke(body);
  return json(done.status, done.body);
}

function show(page: Page, asked: Asked, sources: AdminSources): Answer | Promise<Answer> {
  if (asked.method !== 'GET' && asked.method !== 'HEAD')
    return error(405, 'only GET and HEAD are served here', { allow: 'GET, HEAD' });
  if (hasBody(asked)) return error(413, 'a request here has no body');
  return page(sources);
}

/** RFC 9112 §6.3: a body is announced by one of these two. */
export const hasBody = ({ headers }: Asked): boolean =>
  headers['transfer-encoding'] !== undefined ||
  (headers['content-length'] ?? []).some((length) => !/^0+$/.test(length));
