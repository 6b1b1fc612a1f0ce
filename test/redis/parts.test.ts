/** The parts of the shared store on their own: what is sealed, which of two readings counts, how a connection is given up. */
import fc from 'fast-check';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Sha256Hex } from '../../src/model/ids.js';
import { openConnection } from '../../src/state/redis/connection.js';
import { reconciled } from '../../src/state/redis/known.js';
import { pinnedText, readPinned } from '../../src/state/redis/pinned-text.js';
import type { Numbered } from '../../src/state/redis/pinned-text.js';
import { createSeal } from '../../src/state/redis/seal.js';
import { until } from '../cli/until.js';
import { PLAIN, startRedis } from '../helpers/redis.js';
import { claimsOf, id, NOW, openEnd, pinOf, said } from './facts.js';

const hex = fc.stringMatching(/^[0-9a-f]{64}$/) as fc.Arbitrary<Sha256Hex>;
const presenter = fc.record({
  id: fc.constantFrom(id('frontend'), id('thief')),
  key: fc.option(hex, { nil: undefined }),
});
const pinned: fc.Arbitrary<Numbered> = fc.record({
  first: fc.record({
    presenter,
    environment: fc.option(fc.string(), { nil: null }),
    chain: hex,
    at: fc.integer({ min: 0, max: 2 ** 45 }),
  }),
  contestedBy: fc.option(presenter, { nil: undefined }),
  change: fc.nat({ max: 3 }),
});

describe('a sealed value', () => {
  const seal = createSeal(Buffer.from('secret'));

  it('opens to what was sealed, at its own key and with its own secret alone', () => {
    fc.assert(
      fc.property(pinned, (value) => {
        const sealed = seal.seal('a', pinnedText(value));
        expect(readPinned(seal.open('a', sealed) ?? '')).toEqual(value);
        expect(seal.seal('a', pinnedText(value))).toBe(sealed);
        expect(seal.open('b', sealed)).toBeUndefined();
        expect(createSeal(Buffer.from('other')).open('a', sealed)).toBeUndefined();
      }),
    );
  });

  it('that was changed anywhere does not open', () => {
    const sealed = Buffer.from(seal.seal('a', 'text'), 'base64url');
    for (let index = 0; index < sealed.length; index += 1) {
      const bent = Buffer.from(sealed);
      bent[index] = (bent[index] ?? 0) ^ 1;
      expect(seal.open('a', bent.toString('base64url'))).toBeUndefined();
    }
    expect(seal.open('a', sealed.subarray(0, 20).toString('base64url'))).toBeUndefined();
    expect(seal.open('a', sealed.toString('base64url'))).toBe('text');
  });

  it('has a name that says neither the token nor the kind', () => {
    expect(seal.nameOf('pin', 't')).toMatch(/^[\w-]{43}$/);
    expect(seal.nameOf('pin', 't')).not.toBe(seal.nameOf('use', 't'));
    expect(seal.nameOf('pin', 't')).not.toBe(createSeal(Buffer.from('other')).nameOf('pin', 't'));
  });

  it.each(['', '{}', '[]', 'null', '{"first":{"id":"x"}}'])('that holds %j is no pin', (text) =>
    expect(readPinned(text)).toBeUndefined(),
  );
});

describe('of two readings of a pin', () => {
  it('the later change counts, and two first presenters end it', () => {
    fc.assert(
      fc.property(pinned, pinned, (a, b) => {
        const [one, two] = [reconciled(a, b), reconciled(b, a)];
        expect(one.contestedBy === undefined).toBe(two.contestedBy === undefined);
        expect(one.change).toBeGreaterThanOrEqual(Math.max(a.change, b.change));
        const [first, second] = [a.first.presenter, b.first.presenter];
        const isSame = first.id === second.id && first.key === second.key;
        if (!isSame) expect(one.contestedBy).toBeDefined();
        else if (a.change === b.change && a.contestedBy !== undefined) expect(one.contestedBy).toBeDefined();
      }),
    );
  });
});

describe('a connection', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });
  const listen = async (answer: (socket: Socket) => void): Promise<number> => {
    const server = createServer((socket) => {
      sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined));
      // Who does not read does not hear of the end either.
      socket.resume();
      answer(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  const open = (port: number) => {
    const states: (string | undefined)[] = [];
    const fine = (): Promise<undefined> => Promise.resolve(undefined);
    const onFault = (fault: unknown): void => void states.push(`fault ${String(fault)}`);
    const hooks = { greet: fine, beat: fine, onState: (state: string | undefined) => void states.push(state), onFault };
    return { ...openConnection({ ...PLAIN, port }, hooks), states };
  };

  it.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    ['closes at once', (socket) => socket.destroy()],
    ['speaks another language', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('to somebody who %s is told once as lost, tried again, and never has two sockets', async (_, answer) => {
    let calls = 0;
    let most = 0;
    const port = await listen((socket) => {
      calls += 1;
      most = Math.max(most, sockets.size);
      answer(socket);
    });
    const connection = open(port);
    await until(() => calls >= 3, 10_000);
    expect(await connection.ask('PING')).toMatchObject({ ok: false });
    expect(connection.states).toEqual([expect.any(String)]);
    expect(most).toBe(1);
    await connection.close();
  });

  it('has a bounded number of questions under way, and is given up when nothing is answered', async () => {
    const redis = await startRedis();
    try {
      const end = await openEnd(redis.settings, { patience: 300 });
      expect(said(await end.presented.writeClaims(claimsOf(pinOf('known', 'frontend')), NOW))).toBe('first');
      redis.freeze();
      const started = performance.now();
      const ask = async (index: number) => end.presented.pins.compare(pinOf(`t${index}`, 'frontend'), NOW);
      const answers = await Promise.all(Array.from({ length: 3000 }, (_, index) => ask(index)));
      const details = answers.map((answer) => (answer.ok ? 'ok' : answer.detail));
      expect(details.filter((detail) => /1000 commands are under way/.test(detail)).length).toBeGreaterThanOrEqual(
        2000,
      );
      expect(details).not.toContain('ok');
      await until(() => end.problem() !== undefined, 5000);
      expect(performance.now() - started).toBeLessThan(5000);
      expect(said(await end.presented.pins.compare(pinOf('known', 'frontend'), NOW))).toBe('ok');
      redis.thaw();
      await until(async () => said(await ask(0)) === 'ok', 5000);
      await end.close();
    } finally {
      await redis.stop();
    }
  });
});
