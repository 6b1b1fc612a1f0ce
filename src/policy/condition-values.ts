import { parseIdPattern } from '../model/patterns.js';
import type { IdPattern } from '../model/patterns.js';
import type { Conditions } from '../model/policy.js';
import { DATA_LABELS } from '../model/settings.js';
import type { DataLabel } from '../model/settings.js';
import { quoted, read, unreadable } from './issue.js';
import type { Reading } from './issue.js';
import { nearest } from '../model/nearest.js';
import { DURATION_UNITS } from '../model/duration.js';

/**
 * The values of conditions. In: what stands behind the operator. Out: the part of `Conditions` that it sets. Refuses
 * values that nothing could satisfy, with the form that would have worked.
 */
type Part = Reading<Partial<Conditions>>;

const OUTSIDE = 'outside@';

export function readFrom(value: string): Part {
  const origins: IdPattern[] = [];
  const outside: IdPattern[] = [];
  for (const item of value.split(',')) {
    if (item === 'outside')
      return unreadable(
        'condition_value',
        'expected outside@FORWARDER, got "outside"',
        'name the forwarder: outside@ns/edge/sa/gateway',
      );
    const isOutside = item.startsWith(OUTSIDE);
    const pattern = readPattern(isOutside ? item.slice(OUTSIDE.length) : item);
    if (!pattern.ok) return pattern;
    (isOutside ? outside : origins).push(pattern.value);
  }
  return read({ from: { origins, outside } });
}

export function readVia(value: string): Part {
  const items = value.split(',');
  const forwarders: IdPattern[] = [];
  for (const item of items.filter((word) => word !== 'direct')) {
    const pattern = readPattern(item);
    if (!pattern.ok) return pattern;
    forwarders.push(pattern.value);
  }
  return read({ via: { forwarders, direct: items.includes('direct') } });
}

function readPattern(text: string): Reading<IdPattern> {
  const pattern = text === '' ? 'expected a pattern on SPIFFE IDs, got nothing' : parseIdPattern(text);
  return typeof pattern === 'string'
    ? unreadable('condition_value', pattern, 'for example ns/shop/sa/* or spiffe://prod.example/**')
    : read(pattern);
}

const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/;

export function readHosts(value: string): Part {
  const host = value.split(',');
  const wrong = host.find((item) => !HOST.test(item));
  return wrong === undefined
    ? read({ host })
    : unreadable('condition_value', `expected a host, got ${quoted(wrong)}`, hostHint(wrong));
}

function hostHint(text: string): string {
  if (text.includes('://')) return 'write the host without a scheme';
  if (text.includes('*')) return 'hosts are literal: list each one';
  if (/:\d+$/.test(text)) return 'write the host without a port';
  return text === text.toLowerCase() ? 'for example host=orders.example' : 'write the host in lower case';
}

const ENVIRONMENT = /^[\x21\x23-\x2b\x2d-\x7e]+$/;

export function readEnvironments(value: string): Part {
  const env = value.split(',');
  const wrong = env.find((item) => !ENVIRONMENT.test(item));
  return wrong === undefined
    ? read({ env })
    : unreadable(
        'condition_value',
        `expected the name of an environment, got ${quoted(wrong)}`,
        'for example env=prod,staging',
      );
}

export function readAge(value: string): Part {
  const [, digits = '', unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(value) ?? [];
  const maxAge = Number(digits) * (DURATION_UNITS.get(unit) ?? 0);
  return maxAge > 0
    ? read({ maxAge })
    : unreadable(
        'condition_value',
        `expected a duration above zero, got ${quoted(value)}`,
        'for example 500ms, 30s, 15m, 24h, 7d',
      );
}

export function readData(value: string): Part {
  const data = parseDataLabel(value);
  return data === undefined
    ? unreadable('condition_value', `expected a data label, got ${quoted(value)}`, labelHint(value))
    : read({ data });
}

export const parseDataLabel = (text: string): DataLabel | undefined => DATA_LABELS.find((label) => label === text);

export function labelHint(text: string): string {
  const near = nearest(text, DATA_LABELS);
  return near === undefined ? `one of ${DATA_LABELS.join(', ')}` : `did you mean ${near}?`;
}

export const readBound = (value: string): Part =>
  value === 'direct'
    ? read({ bound: 'direct' })
    : unreadable('condition_value', `expected bound or bound=direct, got ${quoted(`bound=${value}`)}`);
