/** Pins as a caller, an owner and an operator meet them: what writes one, what contests one, what ends a contest. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { callFrom } from '../helpers/check-request.js';
import type { CallFacts } from '../helpers/check-request.js';
import type { ConfigTree, Guard } from '../helpers/guard.js';
import type { TestSvid } from '../helpers/pki.js';
import { reasonOf } from '../helpers/verdicts.js';
import { callThrough, guardOf, ISSUER, makeWorld, movableClock } from '../helpers/world.js';
import type { World } from '../helpers/world.js';
import { until } from '../cli/until.js';

let world: World;
let guard: Guard | undefined;
beforeAll(async () => {
  world = await makeWorld();
});
afterEach(async () => {
  await guard?.stop();
  guard = undefined;
});

const start = async (issuer: ConfigTree, more: ConfigTree = {}, now?: () => number): Promise<Guard> =>
  (guard = await guardOf(world, {
    config: { tokens: [{ ...ISSUER, ...issuer }], ...more },
    ...(now === undefined ? {} : { now }),
  }));

const ask = async (peer: TestSvid, facts: Omit<CallFacts, 'peer'>): Promise<unknown> =>
  reasonOf((await guard?.check(callFrom({ peer, path: '/orders/1', ...facts }))) ?? ({ metadata: {} } as never));

describe('a later presenter', () => {
  it('is refused, and both are in the event', async () => {
    const { events } = await start({});
    const token = await world.token();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.thief, { token })).toBe('token_presenter_changed');
    expect(await ask(world.frontend, { token })).toBe('allowed');
    await until(() => events('pin_conflict').length === 1, 5000);
    expect(events('pin_conflict')[0]).toMatchObject({
      origin: world.thief.id,
      certificate: world.thief.sha256,
      first_presenter: world.frontend.id,
      first_environment: 'prod',
      first_seen: expect.stringMatching(/^20\d\d-/),
      first_chain: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it.each([
    ['a refused route', { method: 'DELETE' }, 'route_undeclared'],
    ['a route that asks for more', { path: '/catalog/x' }, 'scope_missing'],
  ])('can not take the pin by an attempt on %s', async (_, facts, reason) => {
    await start({});
    const token = await world.token({ scope: 'orders.read' });
    expect(await ask(world.thief, { token, ...facts })).toBe(reason);
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.thief, { token })).toBe('token_presenter_changed');
  });
});

describe('onConflict: both', () => {
  const both = { onConflict: 'both' };

  it('refuses the first presenter too, until an operator takes the revocation of the token back', async () => {
    const { write, reload, record, check } = await start(both);
    const token = await world.token();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    const refused = await check(callFrom({ peer: world.thief, path: '/orders/1', token }));
    expect(reasonOf(refused)).toBe('token_presenter_changed');
    expect(await ask(world.frontend, { token })).toBe('token_presenter_changed');
    expect(await ask(world.frontend, { token: await world.token() })).toBe('allowed');
    const { token: name } = await record(refused.metadata['id']);
    const revoke = JSON.stringify({ at: '2026-11-24T10:00:00Z', revoke: 'token', value: name });
    const unrevoke = JSON.stringify({ at: '2026-11-24T10:05:00Z', unrevoke: 'token', value: name });
    write('revoked.ndjson', `${revoke}\n`);
    await reload();
    // The pin is asked before the revocations.
    expect(await ask(world.frontend, { token })).toBe('token_presenter_changed');
    write('revoked.ndjson', `${revoke}\n${unrevoke}\n`);
    await reload();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.thief, { token: await world.token() })).toBe('allowed');
  });

  it.each([
    ['a refused route', { method: 'DELETE' }, 'route_undeclared'],
    ['a route that asks for more', { path: '/catalog/x' }, 'token_presenter_changed'],
  ])('is not reached by an attempt on %s', async (_, facts, reason) => {
    await start(both);
    const token = await world.token({ scope: 'orders.read' });
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.thief, { token, ...facts })).toBe(reason);
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.thief, { token })).toBe('token_presenter_changed');
    expect(await ask(world.frontend, { token })).toBe('token_presenter_changed');
  });

  it('marks nothing in shadow mode', async () => {
    const { check } = await start(both, {
      policy: { scopes: 'scopes', ownersMay: ['workload', 'anyone'], mode: 'shadow' },
    });
    const token = await world.token();
    const shadowOf = async (peer: TestSvid): Promise<unknown> => {
      const { metadata } = await check(callFrom({ peer, path: '/orders/1', token }));
      return metadata['shadow'] ?? metadata['reason'];
    };
    expect(await shadowOf(world.frontend)).toBe('allowed');
    expect(await shadowOf(world.thief)).toBe('token_presenter_changed');
    expect(await shadowOf(world.frontend)).toBe('allowed');
  });

  it('does not part those who share a token by design', async () => {
    const presenters = [world.frontend.id, world.batch.id, 'spiffe://prod.example/**'];
    await start({ ...both, presenters });
    const token = await world.token();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(world.batch, { token })).toBe('allowed');
    expect(await ask(world.thief, { token })).toBe('token_presenter_changed');
    expect(await ask(world.batch, { token })).toBe('token_presenter_changed');
  });
});

describe('pinBy: instance', () => {
  it('tells two certificate keys of one workload apart', async () => {
    const { events } = await start({ pinBy: 'instance' });
    const replica = await world.svid('shop/sa/frontend');
    const renewed = await world.svid('shop/sa/frontend', { key: world.frontend.key });
    const token = await world.token();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(renewed, { token })).toBe('allowed');
    expect(await ask(replica, { token })).toBe('token_presenter_changed');
    await until(() => events('pin_conflict').length === 1, 5000);
    expect(events('pin_conflict')[0]).toMatchObject({
      origin: world.frontend.id,
      first_presenter: world.frontend.id,
      first_key: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  it('needs somebody to show the certificate, behind a forwarder too', async () => {
    const { check } = await start({ pinBy: 'instance' });
    const hops = [world.frontend, world.gateway];
    const reason = async (about: string) =>
      reasonOf(await check(callThrough({ hops, about, token: await world.token() })));
    expect(await reason('')).toBe('binding_unavailable');
    expect(await reason(`Cert="${world.frontend.urlEncodedPem}";`)).toBe('allowed');
  });

  it('is not what origin does', async () => {
    await start({});
    const replica = await world.svid('shop/sa/frontend');
    const token = await world.token();
    expect(await ask(world.frontend, { token })).toBe('allowed');
    expect(await ask(replica, { token })).toBe('allowed');
  });
});

describe('suspectAfter', () => {
  it('is an event where a token is first seen long after it was made, and only then', async () => {
    const clock = movableClock();
    const { events, check } = await start({ suspectAfter: '2m' }, {}, clock.now);
    const iat = Math.floor(clock.now() / 1000);
    const [early, late] = await Promise.all([
      world.token({ iat, exp: iat + 600 }),
      world.token({ iat, exp: iat + 600 }),
    ]);
    expect(await ask(world.frontend, { token: early })).toBe('allowed');
    clock.advance(125_000);
    expect(await ask(world.frontend, { token: early })).toBe('allowed');
    const answer = await check(callFrom({ peer: world.frontend, path: '/orders/1', token: late }));
    expect(await ask(world.frontend, { token: late })).toBe('allowed');
    await until(() => events('token_suspect').length > 0, 5000);
    expect(events('token_suspect')).toEqual([
      expect.objectContaining({ origin: world.frontend.id, id: answer.metadata['id'], issued_at: expect.any(String) }),
    ]);
  });
});
