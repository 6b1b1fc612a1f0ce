/**
 * What a story is told against: the settings, the policy with its text, and which versions of policy, bundles and keys
 * decided, how old they are. In: a workbench. Out: plain values, read once. Does NOT decide anything.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fromText } from '../model/from.js';
import type { BundleFrom, KeysFrom } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import { spanText } from '../model/duration.js';
import type { Policy } from '../model/policy.js';
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
import type { Sources } from '../state/sources.js';
import { readAnnotations, SCOPES_KEY } from '../policy/annotations.js';
import { lineTexts } from './line-text.js';
import { shown, shownList } from './shown.js';

export interface StoryContext {
  readonly settings: Settings;
  /** As it is loaded now; undefined where none is. */
  readonly policy: Policy | undefined;
  /** The text that the policy was compiled from; undefined where it could not be read. */
  readonly scopes: string | undefined;
  /** Texts of the owner's lines and of the guardrails by number. */
  readonly lines: ReadonlyMap<number, string>;
  readonly guardrails: ReadonlyMap<number, string>;
  readonly versions: readonly Version[];
  /** Problems of sources by what they concern, as `Sources.problems()` tells them. */
  readonly problems: ReadonlyMap<string, string>;
  /** How many roots a bundle holds, and the kids of an issuer's keys; undefined where they are not loaded. */
  readonly rootsOf: (domain: TrustDomain) => number | undefined;
  readonly kidsOf: (issuer: string) => readonly string[] | undefined;
}

export interface Version {
  readonly what: 'policy' | 'candidate' | 'bundle' | 'keys';
  /** The trust domain, or the issuer; empty for policies. */
  readonly name: string;
  /** Revision of the policy, digest of the bundle's roots, kids of the keys; or that there are none. */
  readonly version: string;
  /** Undefined where a throw-away one stood in for it. */
  readonly source?: VersionSource;
  readonly problem?: string;
}

export interface VersionSource {
  readonly kind: 'file' | 'elsewhere';
  /** Path or URL. */
  readonly from: string;
  /** ms since the file changed, or since what is elsewhere vouched for it; undefined where it never did. */
  readonly age?: number;
}

/** The part of a workbench that a story needs. */
export interface Told {
  readonly settings: Settings;
  readonly sources: Pick<Sources, 'snapshot' | 'problems' | 'ages'>;
}

export async function storyContext(
  { settings, sources }: Told,
  now: number,
  keys: 'configured' | 'forged' = 'configured',
): Promise<StoryContext> {
  const snapshot = sources.snapshot();
  const problems = sources.problems();
  const scopes = await scopesText(settings);
  return {
    settings,
    policy: snapshot.policy,
    scopes,
    lines: lineTexts(scopes ?? ''),
    guardrails: lineTexts(settings.policy.guardrails),
    versions: await versionsOf(settings, sources, now, keys),
    problems,
    rootsOf: (domain) => {
      const bundle = snapshot.findBundle(domain);
      return typeof bundle === 'string' ? undefined : bundle.anchors.length;
    },
    kidsOf: (issuer) => kidsOf(settings, snapshot, issuer),
  };
}

async function scopesText({ policy: { source } }: Settings): Promise<string | undefined> {
  try {
    const text = await readFile(source.file, 'utf8');
    return source.kind === 'scopes' ? text : (readAnnotations(text).annotations.get(SCOPES_KEY) ?? '');
  } catch {
    return undefined;
  }
}

function kidsOf({ tokens }: Settings, snapshot: Snapshot, issuer: string): readonly string[] | undefined {
  const found = tokens.find((entry) => entry.issuer === issuer);
  const keys = found === undefined ? 'unavailable' : snapshot.findKeys(found);
  return keys === 'unavailable' ? undefined : [...keys.keys()];
}

async function versionsOf(
  settings: Settings,
  sources: Told['sources'],
  now: number,
  keys: 'configured' | 'forged',
): Promise<readonly Version[]> {
  const snapshot = sources.snapshot();
  const problems = sources.problems();
  const { candidate, source } = settings.policy;
  const revision = snapshot.candidate?.revision ?? 'not loaded';
  const policies = [
    versionFrom('policy', snapshot.policy?.revision ?? 'none', source.file, problems, now),
    ...(candidate === null ? [] : [versionFrom('candidate', revision, candidate, problems, now)]),
  ];
  const rest = keys === 'forged' ? standIns(settings) : await Promise.all(trustVersions(settings, sources, now));
  return [...(await Promise.all(policies)), ...rest];
}

const versionFrom = async (
  what: 'policy' | 'candidate',
  version: string,
  file: string,
  problems: ReadonlyMap<string, string>,
  now: number,
): Promise<Version> => ({
  what,
  name: '',
  version,
  source: await fileSource(file, now),
  ...problemOf(problems, what),
});

const issuersOf = ({ tokens }: Settings): ReadonlyMap<string, KeysFrom> =>
  new Map(tokens.map((entry) => [entry.issuer, entry.keys]));

const standIns = (settings: Settings): Version[] => [
  ...[...settings.trust.keys()].map((name) => ({ what: 'bundle' as const, name, ...STAND_IN })),
  ...[...issuersOf(settings).keys()].map((name) => ({ what: 'keys' as const, name, ...STAND_IN })),
];

function trustVersions(settings: Settings, sources: Told['sources'], now: number): Promise<Version>[] {
  const snapshot = sources.snapshot();
  const problems = sources.problems();
  const ages = sources.ages(now);
  const bundles = [...settings.trust].map(async ([name, { bundle }]): Promise<Version> => ({
    what: 'bundle',
    name,
    version: bundleVersion(snapshot, name),
    source: await sourceOf(bundle, ages.bundles.get(name), now),
    ...problemOf(problems, `trust ${name}`),
  }));
  const keys = [...issuersOf(settings)].map(async ([name, from]): Promise<Version> => ({
    what: 'keys',
    name,
    version: keysVersion(settings, snapshot, name),
    source: await sourceOf(from, ages.keys.get(name), now),
    ...problemOf(problems, `keys ${name}`),
  }));
  return [...bundles, ...keys];
}

/** Of a file its own time counts: the guard has read it a moment ago. */
async function sourceOf(from: BundleFrom | KeysFrom, age: number | undefined, now: number): Promise<VersionSource> {
  if (from.kind === 'file') return fileSource(from.file, now);
  const known = age === undefined || !Number.isFinite(age) ? {} : { age: Math.max(0, age) };
  return { kind: 'elsewhere', from: fromText(from), ...known };
}

/** Where something is from, and how old it is, in words. */
export function sourceText({ kind, from, age }: VersionSource): string {
  if (age === undefined) return kind === 'file' ? from : `${from}, which has not answered`;
  return `${from}, ${kind === 'file' ? 'changed' : 'answered'} ${spanText(age)} ago`;
}

const STAND_IN = { version: 'made for this question' } as const;

const problemOf = (problems: ReadonlyMap<string, string>, what: string): { readonly problem?: string } => {
  const problem = problems.get(what);
  return problem === undefined ? {} : { problem: shown(problem) };
};

function bundleVersion(snapshot: Snapshot, domain: TrustDomain): string {
  const bundle = snapshot.findBundle(domain);
  if (typeof bundle === 'string') return 'not loaded';
  const digest = createHash('sha256');
  for (const anchor of bundle.anchors) digest.update(createHash('sha256').update(anchor).digest());
  const count = bundle.anchors.length;
  return count === 0 ? 'empty' : `${digest.digest('hex').slice(0, 12)} (${count} ${count === 1 ? 'root' : 'roots'})`;
}

function keysVersion(settings: Settings, snapshot: Snapshot, issuer: string): string {
  const kids = kidsOf(settings, snapshot, issuer);
  if (kids === undefined) return 'not loaded';
  return kids.length === 0 ? 'empty' : `kid ${shownList(kids)}`;
}

async function fileSource(from: string, now: number): Promise<VersionSource> {
  try {
    return { kind: 'file', from, age: Math.max(0, Math.round(now - (await stat(from)).mtimeMs)) };
  } catch {
    return { kind: 'file', from };
  }
}
