/**
 * The questions of the load, and every answer that the schedule allows for each. In: the world. Out: bytes, and a function
 * from the moments of sending and answering to reasons; one reason where the answer is sure, several in the overlap.
 */
import { callFrom } from '../helpers/check-request.js';
import type { TestSvid } from '../helpers/pki.js';
import { FRONTEND, sure } from './rotation.js';
import type { Key, Root, World } from './rotation.js';
import { trustedAt } from './timeline.js';

export const PROBES = ['steady', 'any key', 'any root', 'after rotation', 'stolen'] as const;
export type ProbeName = (typeof PROBES)[number];

export interface Probe {
  readonly name: ProbeName;
  readonly bytes: Buffer;
  readonly allowed: (sent: number, answered: number) => ReadonlySet<string>;
}

/** Out of ten. */
const SHARES: Readonly<Record<ProbeName, number>> = {
  steady: 4,
  'any key': 2,
  'any root': 2,
  'after rotation': 1,
  stolen: 1,
};
const DRAWS = PROBES.flatMap((name) => Array.from({ length: SHARES[name] }, () => name));

export type NextProbe = () => Promise<Probe>;

export function probesOf(world: World): NextProbe {
  const sign = rememberTokens();
  let asked = 0;
  const any = <T>(things: readonly T[]): T => things[asked % things.length] as T;

  const probe = async (name: ProbeName, now: number): Promise<Probe> => {
    const [key, root] = [sure(world.keys, world.keyLife, now), sure(world.roots, world.rootLife, now)];
    switch (name) {
      case 'steady':
        return made(name, key, root, root.frontend, await sign(key, root.frontend));
      case 'any key': {
        const drawn = any(world.keys);
        return made(name, drawn, root, root.frontend, await sign(drawn, root.frontend));
      }
      case 'any root': {
        const drawn = any(world.roots);
        return made(name, key, drawn, drawn.frontend, await sign(key, drawn.frontend));
      }
      case 'after rotation': {
        // The token lives, the certificate it is bound to was replaced: binding `window`.
        const leaf = world.leaves.at(-1);
        if (leaf === undefined) throw new Error('there is no certificate');
        return made(name, key, leaf.root, leaf.svid, await sign(key, leaf.previous, leaf.notBefore - 2));
      }
      case 'stolen':
        return made(name, key, root, root.other, await sign(key, root.frontend), 'binding_mismatch');
    }
  };

  const made = (name: ProbeName, key: Key, root: Root, peer: TestSvid, token: string, end = 'allowed'): Probe => ({
    name,
    bytes: callFrom({ peer, path: '/orders/1', token }),
    allowed: (sent, answered) => {
      const [peerIs, keyIs] = [
        trustedAt(world.rootLife(root), sent, answered),
        trustedAt(world.keyLife(key), sent, answered),
      ];
      if (peerIs === 'no') return new Set(['peer_untrusted']);
      const last = keyIs === 'no' ? ['token_key_unknown'] : keyIs === 'yes' ? [end] : [end, 'token_key_unknown'];
      return new Set(peerIs === 'yes' ? last : ['peer_untrusted', ...last]);
    },
  });

  return () => {
    asked += 1;
    return probe(DRAWS[asked % DRAWS.length] ?? 'steady', Date.now());
  };
}

/** Each token is sent many times, so that what changes must reach remembered decisions too. */
function rememberTokens(): (key: Key, bound: TestSvid, issuedAt?: number) => Promise<string> {
  const tokens = new Map<string, Promise<string>>();
  return ({ issuer }, { sha256 }, issuedAt) => {
    const name = `${issuer.kid} ${sha256} ${issuedAt ?? ''}`;
    const claims = {
      sub: FRONTEND,
      scope: 'orders.read',
      cnf: { 'x5t#S256': Buffer.from(sha256, 'hex').toString('base64url') },
      ...(issuedAt === undefined ? {} : { iat: issuedAt }),
    };
    const token = tokens.get(name) ?? issuer.sign(claims);
    tokens.set(name, token);
    return token;
  };
}
