/** The guard's own files change while it serves, and the ends of certificates are told in time. */
import { mkdirSync, openSync, renameSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { afterAll, describe, expect, test } from 'vitest';
import { makeCa, SERVER_AUTH } from '../helpers/pki.js';
import type { TestCa, TestSvid } from '../helpers/pki.js';
import { makeIssuer } from '../helpers/tokens.js';
import { decodeAnswer } from '../wire/answers.js';
import { configWith, listenWith, makeFolder } from './folder.js';
import type { AuditLine, Folder } from './folder.js';
import { refusedStart, startGuard } from './guard.js';
import type { Guard } from './guard.js';
import { CHANGED_FILE_COUNTS, until } from './until.js';

const ends: (() => Promise<void>)[] = [];
afterAll(async () => void (await Promise.all(ends.map((end) => end()))));

async function serving(
  prepare: (folder: Folder) => Promise<object> | object,
): Promise<{ folder: Folder; guard: Guard }> {
  const folder = await makeFolder();
  const guard = await startGuard(folder, configWith({ ...(await prepare(folder)) }));
  ends.push(async () => {
    expect((await guard.stop()).code).toBe(0);
    folder.remove();
  });
  return { folder, guard };
}

const problemTells = (guard: Guard, text: string): Promise<void> =>
  until(async () => (await guard.page('/readyz')).body.includes(text), CHANGED_FILE_COUNTS);
const eventsOf = (folder: Folder, event: string): AuditLine[] => folder.audit().filter((line) => line.event === event);

const serverCertificate = (ca: TestCa): Promise<TestSvid> =>
  ca.issue({ id: 'spiffe://prod.example/ns/shop/sa/orders', dns: ['localhost'], eku: [SERVER_AUTH] });

describe.concurrent('listen.tls', () => {
  test('is changed without a restart: certificate, key and client CA, half of them never', async () => {
    let first: TestSvid | undefined;
    const { folder, guard } = await serving(async (folder) => {
      first = await serverCertificate(folder.ca);
      folder.write('server.crt', first.chainPem);
      folder.write('server.key', first.keyPem);
      folder.write('clients.pem', folder.ca.certificate);
      const tls = { certificate: 'server.crt', key: 'server.key', clientCA: 'clients.pem' };
      return { listen: listenWith({ check: ['127.0.0.1:0'], tls }) };
    });
    const next = await makeCa({ name: 'Next Root CA' });
    const renewed = await serverCertificate(next);
    const nextClient = await next.issue();
    const bytes = await folder.call();
    const connect = (server: TestCa, client: TestSvid): ReturnType<Guard['client']> =>
      guard.client(
        0,
        credentials.createSsl(Buffer.from(server.certificate), Buffer.from(client.keyPem), Buffer.from(client.pem)),
      );
    const answers = (client: ReturnType<Guard['client']>): Promise<boolean> =>
      client.check(bytes).then(
        (answer) => decodeAnswer(answer).metadata['decision'] === 'allow',
        () => false,
      );
    const old = connect(folder.ca, folder.frontend);
    expect(await answers(old)).toBe(true);
    expect(await answers(connect(folder.ca, nextClient))).toBe(false);

    // The certificate alone: it has no key yet, so nothing changes.
    folder.replace('server.crt', renewed.chainPem);
    await problemTells(guard, 'listen.tls');
    expect((await guard.page('/readyz')).status).toBe(200);
    expect(await answers(connect(folder.ca, folder.frontend))).toBe(true);

    folder.replace('server.key', renewed.keyPem);
    await until(() => answers(connect(next, folder.frontend)), CHANGED_FILE_COUNTS);
    expect(await answers(connect(folder.ca, folder.frontend))).toBe(false);
    expect((await guard.page('/readyz')).body).toContain('"problems":{}');

    folder.replace('clients.pem', next.certificate);
    await until(() => answers(connect(next, nextClient)), CHANGED_FILE_COUNTS);
    // Also over the connection that was open all the time.
    expect(await answers(old)).toBe(false);
    expect(await answers(connect(next, folder.frontend))).toBe(false);

    expect(eventsOf(folder, 'certificate_rotated').concat(eventsOf(folder, 'certificate_seen'))).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ certificate: first?.sha256, source: folder.file('server.crt') }),
        expect.objectContaining({ certificate: renewed.sha256, source: folder.file('server.crt') }),
      ]),
    );
  });

  test('that is bad at start ends it', async () => {
    const folder = await makeFolder();
    const server = await serverCertificate(folder.ca);
    folder.write('server.crt', server.chainPem);
    folder.write('other.key', folder.frontend.keyPem);
    const listen = listenWith({ check: ['127.0.0.1:0'], tls: { certificate: 'server.crt', key: 'other.key' } });
    const ended = await refusedStart(folder, configWith({ listen }));
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('listen.tls: ') as string });
    folder.remove();
  });
});

describe.concurrent('files that are written in two halves, with a long pause between them', () => {
  /** Resolves when the guard has looked at the half and said what is wrong with it. */
  const halves = async (folder: Folder, guard: Guard, name: string, text: string, problem: string): Promise<void> => {
    const file = openSync(folder.file(name), 'w');
    writeSync(file, text.slice(0, text.length / 2));
    await problemTells(guard, problem);
    expect(await guard.reasonFor(await folder.call())).toBe('allowed');
    writeSync(file, text.slice(text.length / 2));
    await until(async () => (await guard.page('/readyz')).body.includes('"problems":{}'), CHANGED_FILE_COUNTS);
  };

  test('count whole or not at all: JWKS, PEM of several roots, SPIFFE bundle', async () => {
    const { folder, guard } = await serving(() => ({}));
    const next = await makeIssuer({ kid: 'key-2' });
    const both = JSON.stringify({ keys: [folder.issuer.jwk, next.jwk] }, undefined, 2);
    await halves(folder, guard, 'idp.jwks.json', both, 'expected JSON');
    const signed = await folder.call({ token: await next.sign({ scope: 'orders.read' }) });
    expect(await guard.reasonFor(signed)).toBe('allowed');

    const other = await makeCa({ name: 'Next Root CA' });
    await halves(
      folder,
      guard,
      'prod.pem',
      folder.ca.certificate + other.certificate + other.certificate,
      'no END line',
    );
    expect(await guard.reasonFor(await folder.call({ peer: await other.issue() }))).toBe('allowed');

    const entry = { kty: 'EC', use: 'x509-svid', x5c: [Buffer.from(folder.ca.der).toString('base64')] };
    await halves(folder, guard, 'prod.pem', JSON.stringify({ keys: [entry] }), 'not JSON');
    expect(await guard.reasonFor(await folder.call({ peer: await other.issue() }))).toBe('peer_untrusted');
  });

  test('by symlink and by ..data: old and new root together, then the new one alone', async () => {
    let swap: (name: string, text: string) => void = () => undefined;
    const { folder, guard } = await serving((folder) => {
      const volume = folder.file('bundles');
      mkdirSync(volume);
      let version = 0;
      swap = (name, text) => {
        version += 1;
        mkdirSync(join(volume, `..v${version}`));
        writeFileSync(join(volume, `..v${version}`, name), text);
        symlinkSync(`..v${version}`, join(volume, '..data_tmp'));
        renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
      };
      swap('prod.pem', folder.ca.certificate);
      symlinkSync('..data/prod.pem', join(volume, 'prod.pem'));
      symlinkSync('bundles/prod.pem', folder.file('linked.pem'));
      return { trust: { 'prod.example': { bundle: 'linked.pem' } } };
    });
    const next = await makeCa({ name: 'Next Root CA' });
    const old = await folder.call();
    const moved = await folder.call({ peer: await next.issue() });
    const turns = (call: Buffer, reason: string): Promise<void> =>
      until(async () => (await guard.reasonFor(call)) === reason, CHANGED_FILE_COUNTS);
    expect(await guard.reasonFor(moved)).toBe('peer_untrusted');
    swap('prod.pem', folder.ca.certificate + next.certificate);
    await turns(moved, 'allowed');
    expect(await guard.reasonFor(old)).toBe('allowed');
    swap('prod.pem', next.certificate);
    await turns(old, 'peer_untrusted');
    expect(await guard.reasonFor(moved)).toBe('allowed');
  });
});

describe.concurrent('the end of a certificate', () => {
  const HOUR = 3_600_000;
  const at = (hours: number): Date => new Date(Date.now() + hours * HOUR);

  test('is told once when a quarter of its life is left, of a root and of a peer, and in a metric', async () => {
    let dying: TestCa | undefined;
    const { folder, guard } = await serving(async (folder) => {
      dying = await makeCa({ name: 'Dying Root CA', notBefore: at(-9), notAfter: at(1) });
      folder.write('prod.pem', folder.ca.certificate + dying.certificate);
      return {};
    });
    const peer = await folder.ca.issue({ notBefore: at(-9), notAfter: at(1) });
    for (let calls = 0; calls < 3; calls += 1)
      expect(await guard.reasonFor(await folder.call({ peer }))).toBe('allowed');
    await until(() => eventsOf(folder, 'certificate_expiring').length >= 2, 5000);
    folder.replace('prod.pem', (dying?.certificate ?? '') + folder.ca.certificate);
    await until(() => eventsOf(folder, 'bundle_changed').length === 2, CHANGED_FILE_COUNTS);
    const detail = 'less than a quarter of its life is left';
    expect(eventsOf(folder, 'certificate_expiring')).toEqual([
      expect.objectContaining({ identity: 'spiffe://prod.example', source: folder.file('prod.pem'), detail }),
      expect.objectContaining({ identity: peer.id, certificate: peer.sha256, detail }),
    ]);
    const { body } = await guard.page('/metrics');
    const left = Number(
      /^firsthand_certificate_expiry_seconds\{identity="spiffe:\/\/prod.example"\} (\S+)$/m.exec(body)?.[1],
    );
    expect(left).toBeGreaterThan(3500);
    expect(left).toBeLessThanOrEqual(3600);
    expect(body).toMatch(/^firsthand_events_total\{event="certificate_expiring"\} 2$/m);
    expect(body).toMatch(/^firsthand_events_total\{event="bundle_changed"\} 2$/m);
  });

  test('is told once more when it has come, of a root that nobody replaced', async () => {
    const { folder } = await serving(async (folder) => {
      const soon = await makeCa({ name: 'Short Root CA', notBefore: at(-1), notAfter: new Date(Date.now() + 3000) });
      folder.write('prod.pem', folder.ca.certificate + soon.certificate);
      return {};
    });
    await until(() => eventsOf(folder, 'certificate_expiring').length === 2, 8000);
    expect(eventsOf(folder, 'certificate_expiring').map(({ detail }) => detail)).toEqual([
      'less than a quarter of its life is left',
      'it has ended and was not replaced in time',
    ]);
  });
});
