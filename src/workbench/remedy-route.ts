/**
 * A line for a route that nobody declared. In: the request. Out: a line that lets this caller in and nobody else, tried
 * against the other lines before it is proposed. The path's numbers and UUIDs become {id}. Does NOT know what the route
 * does: its scope is the owner's to choose.
 */
import { tokenIn } from '../evidence/token.js';
import type { Methods } from '../model/policy.js';
import { parseLines } from '../policy/grammar.js';
import { findOverlaps } from '../policy/overlap.js';
import { no } from './change.js';
import type { Remedy } from './change.js';
import { patternFor } from './case.js';
import type { Case } from './case.js';
import { shown } from './shown.js';

export function undeclared(told: Case): Remedy {
  const { shape, outcome, context } = told;
  const { origin } = outcome.findings;
  const methods = declaredMethods(told);
  const near = methods.length === 0 ? '' : ` (the path is declared for ${methods.join(', ')})`;
  const nothing = no(`none: no line declares this method and path${near}, and no line could be written for it`);
  if (shape === undefined || origin?.kind !== 'workload' || context.scopes === undefined) return nothing;
  const who = patternFor(origin.id, outcome.guard);
  const base = context.scopes.endsWith('\n') || context.scopes === '' ? context.scopes : `${context.scopes}\n`;
  const text = targets(told)
    .map((target) => `${target} ${scopesFor(told)} from=${who}`)
    .find((line) => fits(`${base}${line}\n`, told));
  if (text === undefined) return nothing;
  return {
    text: `no line declares this method and path${near}. If the route is meant to be called, the owner declares it, with the scope that it should ask for in place of ${scopesFor(told)}: ${shown(text)}`,
    change: { kind: 'add line', text },
  };
}

/** With a token at hand the line asks for one; a workload line only where owners may write them. */
function scopesFor({ attributes, context }: Case): 'token' | 'workload' {
  const { tokens, policy } = context.settings;
  const read = attributes && tokenIn(attributes.headers, [...new Set(tokens.map(({ from }) => from))]);
  const carries = read?.ok === true && read.value !== undefined;
  return carries || !policy.ownersMay.includes('workload') ? 'token' : 'workload';
}

const VARIABLE = /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** The first that fits is taken: the general one, then the path as it was. */
function targets({ attributes, shape }: Case): string[] {
  const segments = shape?.segments ?? [];
  const method = shape?.method ?? '';
  const literal = `${method} /${segments.map(encoded).join('/')}`;
  let count = 0;
  const named = segments.map((text) => {
    if (!VARIABLE.test(text)) return encoded(text);
    count += 1;
    return count === 1 ? '{id}' : `{id${count}}`;
  });
  const isGrpc = attributes?.headers.all('content-type').some((type) => type.startsWith('application/grpc'));
  return [...(isGrpc === true ? [`GRPC ${segments.join('/')}`] : []), `${method} /${named.join('/')}`, literal];
}

const encoded = (segment: string): string => encodeURIComponent(segment).replaceAll('*', '%2A');

/** Right by itself, and beside the other lines. */
function fits(text: string, { context }: Case): boolean {
  const rights = new Set(context.settings.policy.ownersMay.filter((right) => right !== 'shadow'));
  const { lines, issues } = parseLines(text, { rights });
  return issues.length === 0 && findOverlaps(lines).length === 0;
}

/** Which methods the path is declared for: a hint for whoever mistook one for another. */
function declaredMethods({ context, shape }: Case): string[] {
  if (context.policy === undefined || shape === undefined) return [];
  const all = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
  const { policy } = context;
  return all.filter((method) => namesIt(policy.route(method, shape.segments).line?.methods));
}

const namesIt = (methods: Methods | undefined): boolean => methods !== undefined && methods.kind !== 'grpc';
