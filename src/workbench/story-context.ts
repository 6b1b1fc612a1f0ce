/**
 * What a story is told against: the settings, the policy with its text, and which versions of policy, bundles and keys
 * decided, how old they are. In: a workbench. Out: plain values, read once. Does NOT decide anything.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { fromText } from '../model/from.js';
import type { TrustDomain } from '../model/ids.js';
import type { Policy } from '../model/policy.js';
import type { Settings } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';
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
  readonly file?: string;
  /** ms since the file changed. */
  readonly age?: number;
  readonly problem?: string;
}

/** The part of a workbench that a story needs. */
export interface Told {
  readonly settings: Settings;
  readonly sources: { snapshot(): Snapshot; problems(): ReadonlyMap<string, string> };
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
    versions: await versionsOf(settings, snapshot, problems, now, keys),
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
  snapshot: Snapshot,
  problems: ReadonlyMap<string, string>,
  now: number,
  keys: 'configured' | 'forged',
): Promise<readonly Version[]> {
  const forged = keys === 'forged';
  const { candidate } = settings.policy;
  const entries: Omit<Version, 'age'>[] = [
    {
      what: 'policy',
      name: '',
      version: snapshot.policy?.revision ?? 'none',
      file: settings.policy.source.file,
      ...problemOf(problems, 'policy'),
    },
    ...(candidate === null
      ? []
      : [
          {
            what: 'candidate' as const,
            name: '',
            version: snapshot.candidate?.revision ?? 'not loaded',
            file: candidate,
            ...problemOf(problems, 'candidate'),
          },
        ]),
    ...[...settings.trust].map(([domain, { bundle }]) => ({
      what: 'bundle' as const,
      name: domain,
      ...(forged ? STAND_IN : { version: bundleVersion(snapshot, domain), file: fromText(bundle) }),
      ...(forged ? {} : problemOf(problems, `trust ${domain}`)),
    })),
    ...[...new Map(settings.tokens.map((entry) => [entry.issuer, entry.keys]))].map(([issuer, from]) => ({
      what: 'keys' as const,
      name: issuer,
      ...(forged ? STAND_IN : { version: keysVersion(settings, snapshot, issuer), file: fromText(from) }),
      ...(forged ? {} : problemOf(problems, `keys ${issuer}`)),
    })),
  ];
  return Promise.all(entries.map(async (entry) => ({ ...entry, ...(await ageOf(entry.file, now)) })));
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

async function ageOf(file: string | undefined, now: number): Promise<{ readonly age?: number }> {
  if (file === undefined) return {};
  try {
    return { age: Math.max(0, Math.round(now - (await stat(file)).mtimeMs)) };
  } catch {
    return {};
  }
}
