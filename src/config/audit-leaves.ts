/** Parsers of single texts of `audit`. */
import type { AuditSettings } from '../model/settings.js';
import { pathBehind } from './address.js';
import { no } from './leaf.js';
import type { Leaf } from './leaf.js';
import { quote } from './words.js';

/** The path stays as written; settings.ts resolves it. */
export function auditTarget(text: string): Leaf<AuditSettings['to']> {
  if (text === 'stdout') return { value: { kind: 'stdout' } };
  const path = text.startsWith('file:') ? pathBehind('file:', text) : undefined;
  if (path === undefined || path === '' || path.includes('\0'))
    return no(`expected stdout or file:PATH, got ${quote(text)}`, 'for example file:/var/log/firsthand/audit.ndjson');
  return { value: { kind: 'file', path } };
}

/** all → 1, none → 0, sampled:0.01 → 0.01. */
export function allowedShare(text: string): Leaf<number> {
  if (text === 'all') return { value: 1 };
  if (text === 'none') return { value: 0 };
  const share = /^sampled:((?:0|1)(?:\.[0-9]{1,9})?)$/.exec(text)?.[1];
  if (share === undefined || Number(share) <= 0 || Number(share) > 1)
    return no(
      `expected all, none or sampled:SHARE, got ${quote(text)}`,
      'SHARE lies above 0 and is at most 1, for example sampled:0.01',
    );
  return { value: Number(share) };
}
