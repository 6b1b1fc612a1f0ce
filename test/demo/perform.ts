/** Sends one row and says what came back. Nothing is judged here. */
import type { Agent } from 'node:https';
import { REWRITTEN_ANNOTATIONS } from './annotation.js';
import { overGrpc, overHttp1, overHttp2 } from './client.js';
import type { Answer, Call } from './client.js';
import { FRONTEND, GATEWAY, ORDERS } from './materials.js';
import { writeAnnotations } from './podinfo.js';
import { poll } from './poll.js';
import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import type { Revoked, Row } from './row.js';
import { SPELLINGS } from './spellings.js';
import type { Lines } from './spellings.js';
import type { Stage } from './stage.js';
import { CALL_ID } from './upstream.js';

export interface Performance {
  readonly row: Row;
  readonly answer: Answer;
  /** x-demo-call and x-request-id of the request whose answer this is. */
  readonly callId: string;
  /** ms, of that request. */
  readonly took: number;
}

/** For what takes effect with time: a certificate of 4 s that expires, a changed file that counts within 5 s. */
const CHANGE_LIMIT = 15_000;

export async function perform(row: Row, stage: Stage, kept: Agent): Promise<Performance> {
  if (row.before === 'rewrite-annotations')
    await writeAnnotations(stage.materials.file('podinfo'), REWRITTEN_ANNOTATIONS, 2);
  else if (row.before !== null) await stage.revoke?.(await revokedBy(row.before, stage));
  if (row.whileStatus === null) return send(row, stage, kept);
  let last: Performance | undefined;
  const changed = poll(`another answer to "${row.name}"`, CHANGE_LIMIT, async () => {
    last = await send(row, stage, kept);
    return last.answer.status === row.whileStatus ? undefined : last;
  });
  // What never changes is a wrong answer, and the judge's to say so.
  return changed.catch((error: unknown) => {
    if (last?.answer.status === row.whileStatus) return last;
    throw error;
  });
}

/** What is revoked, as the operator names it. */
async function revokedBy(what: Revoked, { materials }: Stage): Promise<readonly string[]> {
  switch (what) {
    case 'revoke-token':
      return ['--token', tokenName(materials.tokens.unbound)];
    case 'revoke-gateway':
      return ['--identity', GATEWAY];
    case 'revoke-serial': {
      const { serialNumber, issuer } = new X509Certificate((await materials.identity('frontend')).pem);
      return ['--serial', serialNumber, '--issuer', issuer.split('\n').reverse().join(',')];
    }
  }
}

/** Its `iss` and `jti`, or without them what was signed: the same for every spelling. */
function tokenName(token: string): string {
  const [header = '', payload = ''] = token.split('.');
  const { iss, jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iss?: string; jti?: string };
  const name = iss === undefined || jti === undefined ? `${header}.${payload}` : `${iss}\n${jti}`;
  return createHash('sha256').update(name).digest('hex');
}

async function send(row: Row, stage: Stage, kept: Agent): Promise<Performance> {
  const callId = randomUUID();
  const call = await asCall(row, stage, callId, kept);
  const begun = performance.now();
  const answer = await transport(row.protocol)(call);
  return { row, answer, callId, took: performance.now() - begun };
}

function transport(protocol: Row['protocol']): (call: Call) => Promise<Answer> {
  switch (protocol) {
    case 'http1':
      return overHttp1;
    case 'http2':
      return overHttp2;
    case 'grpc':
      return overGrpc;
  }
}

async function asCall(row: Row, stage: Stage, callId: string, kept: Agent): Promise<Call> {
  const { materials, ports } = stage;
  const svid = row.as === null ? undefined : await materials.identity(row.as);
  return {
    port: ports[row.to],
    server: row.to === 'sidecar' || row.to === 'second' ? ORDERS : GATEWAY,
    roots: materials.roots,
    as: svid === undefined ? undefined : { certificate: svid.chainPem, key: svid.keyPem },
    method: row.method,
    path: row.path,
    headers: [
      [CALL_ID, callId],
      ['x-request-id', callId],
      ...credential(row, stage),
      ...(await forgery(row, stage)),
      ...row.headers,
    ],
    ...(row.kept ? { agent: kept } : {}),
  };
}

function credential({ token, spelling }: Row, { materials }: Stage): Lines {
  if (token === null) return [];
  const text = materials.tokens[token];
  return spelling === null ? [['authorization', `Bearer ${text}`]] : SPELLINGS[spelling](text);
}

/** What an honest `forgedBy` would have written about a call of frontend, the hash of its certificate included. */
async function forgery({ forgedBy }: Row, { materials }: Stage): Promise<[name: string, value: string][]> {
  if (forgedBy === null) return [];
  const { sha256 } = await materials.identity('frontend');
  return [['x-forwarded-client-cert', `By=${forgedBy};Hash=${sha256};URI=${FRONTEND}`]];
}
