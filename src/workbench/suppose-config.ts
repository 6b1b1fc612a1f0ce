/** The request under other lines, or another key of the configuration; both are read as at a start. */
import { withConfigValue } from '../config/changed.js';
import { readersFor } from '../engine.js';
import { parseTrustDomain } from '../model/ids.js';
import type { Policy } from '../model/policy.js';
import type { Settings } from '../model/settings.js';
import type { Change } from './change.js';
import { trustedIn } from './suppose-caller.js';
import { lineTexts } from './line-text.js';
import type { Supposed, Unknown } from './supposed.js';

type Of<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>;

export function supposeLines(change: Of<'line'> | Of<'add line'>, world: Supposed): Supposed | Unknown {
  const { scopes, policy, settings } = world.context;
  if (scopes === undefined || policy === undefined) return { unknown: "the owner's lines can not be read" };
  return withPolicy(world, settings, policy, changed(scopes, change));
}

function changed(scopes: string, change: Of<'line'> | Of<'add line'>): string {
  if (change.kind === 'add line') return `${scopes}${/(^|\n)$/.test(scopes) ? '' : '\n'}${change.text}\n`;
  const lines = scopes.split('\n');
  lines[change.number - 1] = change.text;
  return lines.join('\n');
}

/** Compiled anew; what annotations besides the lines say stays as it was. */
function withPolicy(world: Supposed, settings: Settings, policy: Policy, scopes: string): Supposed | Unknown {
  const { data, mode, owner } = policy;
  const compiled = readersFor(settings).candidate(scopes, data);
  if (!compiled.ok) return { unknown: `the lines would not be accepted: ${compiled.problem}` };
  const next: Policy = { ...compiled.value, mode, owner };
  const context = { ...world.context, settings, policy: next, scopes, lines: lineTexts(scopes) };
  return { ...world, context, snapshot: { ...world.snapshot, policy: next } };
}

export async function supposeConfig({ path, value }: Of<'config'>, world: Supposed): Promise<Supposed | Unknown> {
  const { config, context } = world;
  const text = config && withConfigValue(config.text, path, value);
  const settings = text === undefined ? undefined : config?.read(text);
  if (config === undefined || text === undefined || settings === undefined)
    return { unknown: 'the configuration with this change can not be tried out here' };
  const read: Supposed = { ...world, config: { ...config, text }, context: { ...context, settings } };
  const [section, domain] = path;
  const next =
    section === 'trust' && path.length === 2 ? await trustedIn(parseTrustDomain(String(domain)), read) : read;
  const { policy, scopes } = context;
  if ('unknown' in next || policy === undefined || scopes === undefined) return next;
  return withPolicy(next, settings, policy, scopes);
}
