/** What `identity` and whatever comes from the SPIFFE Workload API demand of each other, and of the environment. */
import { workloadApiAddress } from '../address.js';
import type { Env } from '../interpolate.js';
import { SPIFFE_KEYS, WORKLOAD_API } from '../leaves.js';
import type { Path } from '../node.js';
import type { Config } from '../schema.js';
import { ENDPOINT_VARIABLE } from '../settings.js';
import { quote } from '../words.js';
import type { Places } from './rule.js';

export function checkIdentity(config: Config, places: Places, env: Env): void {
  checkPair(config, places);
  checkEndpoint(config, places, env);
  checkDomainsOfKeys(config, places);
}

function checkPair({ identity }: Config, places: Places): void {
  if (identity === null || places.isTouched(['identity', 'certificate'], ['identity', 'key'])) return;
  const { certificate, key } = identity;
  if ((certificate === null) === (key === null)) return;
  const lacks = certificate === null ? 'certificate' : 'key';
  places.report(
    ['identity', lacks],
    `expected a file beside identity.${certificate === null ? 'key' : 'certificate'}, got nothing`,
    'name both, or neither',
  );
}

/** Where nobody says where the Workload API is, nothing can come from it. */
function checkEndpoint(config: Config, places: Places, env: Env): void {
  const [needs] = needing(config);
  if (needs === undefined || places.isTouched(['identity', 'workloadApi'], ['identity'])) return;
  if ((config.identity?.workloadApi ?? null) !== null) return;
  const told = env[ENDPOINT_VARIABLE];
  if (told === undefined || told === '')
    return places.report(
      needs,
      `the SPIFFE Workload API is needed, and ${ENDPOINT_VARIABLE} is not set`,
      'set it, or write identity.workloadApi, for example unix:/run/spire/agent.sock',
    );
  const address = workloadApiAddress(told);
  if (!('value' in address)) return places.report(needs, `${ENDPOINT_VARIABLE}: ${address.problem}`, address.hint);
  if (address.value.kind === 'unix' && !address.value.path.startsWith('/'))
    places.report(needs, `${ENDPOINT_VARIABLE}: expected an absolute path, got ${quote(told)}`);
}

/** Bundles from the Workload API. Keys of such a domain come from there too. */
const needing = ({ trust }: Config): Path[] =>
  Object.entries(trust).flatMap(([name, { bundle }]) => (bundle === WORKLOAD_API ? [['trust', name, 'bundle']] : []));

/** A trust domain's JWT authorities stand in its bundle. An SVID without `iss` can only be meant for one entry. */
function checkDomainsOfKeys({ tokens, trust }: Config, places: Places): void {
  const taken = new Set<string>();
  tokens.forEach(({ keys, from }, index) => {
    if (!keys.startsWith(SPIFFE_KEYS)) return;
    const domain = keys.slice(SPIFFE_KEYS.length);
    const path = ['tokens', index, 'keys'];
    if (!Object.hasOwn(trust, domain) && !places.isTouched(['trust']))
      places.report(path, `the trust domain ${quote(domain)} is not configured in trust`, `add trust.${domain}`);
    const key = JSON.stringify([domain, from]);
    if (taken.has(key))
      places.report(path, `another entry already takes SVIDs of ${quote(domain)} from ${quote(from)}`, 'keep one');
    taken.add(key);
  });
}
