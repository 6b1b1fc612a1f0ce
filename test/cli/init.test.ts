import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runLint } from '../../src/cli/lint.js';
import { init } from '../../src/cli/init.js';
import type { InitOptions } from '../../src/cli/init.js';
import { readPath } from '../../src/model/path.js';
import type { Policy } from '../../src/model/policy.js';
import { compilePolicy } from '../../src/policy/compile.js';
import { proposeFromAudit } from '../../src/workbench/audit-trail.js';
import { proposeFromOpenApi } from '../../src/workbench/api-document.js';
import { joinProposals, proposalText } from '../../src/workbench/proposal.js';
import { testIo } from '../helpers/io.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'firsthand-init-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function run(options: InitOptions): Promise<{ exit: number; out: string; err: string }> {
  const io = testIo();
  const exit = await init(options, io);
  return { exit, out: io.out(), err: io.err() };
}

/** As a guard with default rights would take it: compiled, so without overlaps. */
function compiled(text: string): Policy {
  const result = compilePolicy({ kind: 'scopes', text }, { guardrails: '', ownersMay: ['workload'] });
  if (!result.ok) throw new Error(`${text}\n${JSON.stringify(result.issues)}`);
  return result.policy;
}

/** Lines without their comments and the spaces between columns. */
const linesOf = (text: string): string[] =>
  text.split('\n').flatMap(
    (line) =>
      line
        .replace(/(^|\s)#.*/, '')
        .replaceAll(/ +/g, ' ')
        .trim() || [],
  );

const commentOf = (text: string, start: string): string =>
  text
    .split('\n')
    .find((line) => line.replaceAll(/ +/g, ' ').startsWith(start))
    ?.split('# ')
    .at(-1) ?? '';

describe('from an OpenAPI document', () => {
  const document = `
openapi: 3.1.0
servers: [{ url: "https://api.example.com/v1/" }]
security: [{ oauth: [orders.read] }]
paths:
  /orders/{order-id}:
    get: {}
    head: {}
    put: { security: [{ oauth: [orders.write, orders.read] }] }
    delete: { security: [{ key: [] }] }
  /orders:
    get: { security: [{ oauth: [a] }, { other: [b] }] }
    post: { security: [{ oauth: [orders.write] }, {}] }
  /files/{name}.{ext}: { get: {} }
  /files/{other}: { get: { security: [{ o: [files.read] }] } }
  /healthz: { get: { security: [] } }
  /odd space/*: { get: { security: [{ o: ["a|b"] }] } }
  /token: { get: { security: [{ o: [token] }] } }
  /elsewhere: { $ref: 'other.yaml#/x' }
`;

  it('takes scopes from security, and says where it guessed', async () => {
    const { exit, out, err } = await run({ openapi: [file('openapi.yaml', document)] });
    expect([exit, err]).toEqual([0, '']);
    expect(linesOf(out)).toEqual([
      'GET,HEAD /v1/orders/{order_id} orders.read',
      'PUT /v1/orders/{order_id} orders.write+orders.read',
      'DELETE /v1/orders/{order_id} orders.delete',
      'GET /v1/orders a|b',
      'POST /v1/orders orders.write',
      'GET /v1/files/{name} orders.read+files.read',
      'GET /v1/healthz healthz.read',
      'GET /v1/odd%20space/%2A oddspace.read',
      'GET /v1/token token.read',
    ]);
    expect(compiled(out).lines.length).toBe(9);
    expect(commentOf(out, 'DELETE')).toBe('guess: the document names no scope');
    expect(commentOf(out, 'GET,HEAD')).not.toContain('guess');
    expect(commentOf(out, 'GET /v1/files')).toContain('{name}.{ext} became one whole segment');
    expect(commentOf(out, 'GET /v1/healthz')).toContain('an anyone line needs the right of the operator');
    expect(out).toContain('# left out: /elsewhere: its path item is not in this document');
    expect(out).toContain('add from=');
  });

  it('never proposes a keyword of ours for a scope of that name, nor a line that asks for nothing', async () => {
    const { out } = await run({ openapi: [file('openapi.yaml', document)] });
    expect(compiled(out).lines.every(({ scopes }) => scopes.kind === 'all' || scopes.kind === 'any')).toBe(true);
  });

  it('reads Swagger 2 and JSON as well', async () => {
    const swagger = { swagger: '2.0', basePath: '/api', paths: { '/users/{id}': { delete: {} } } };
    const { out } = await run({ openapi: [file('swagger.json', JSON.stringify(swagger))] });
    expect(linesOf(out)).toEqual(['DELETE /api/users/{id} users.delete']);
  });

  it('proposes what lint finds complete: every operation has a line, every line an operation', async () => {
    const several = document.replace('servers: [', 'servers: [{ url: "/{v}", variables: { v: { default: v2 } } }, ');
    for (const text of [document, several]) {
      const openapi = [file('openapi.yaml', text)];
      const scopes = file('proposed.scopes', (await run({ openapi })).out);
      const io = testIo();
      await runLint({ files: [scopes], as: 'scopes', openapi, format: 'json' }, io);
      expect(io.out()).not.toMatch(/route_uncovered|line_unused|overlap/);
      expect(io.out()).toContain('other.yaml#/x');
    }
    expect((await run({ openapi: [file('openapi.yaml', several)] })).out).toContain(
      'with the paths /v2, /v1: keep yours',
    );
  });

  it('prints the annotation of a pod template, whose text is the same lines', async () => {
    const openapi = [file('openapi.yaml', document)];
    const [scopes, manifest] = [await run({ openapi }), await run({ openapi, manifest: true })];
    expect(parse(manifest.out)).toEqual({ metadata: { annotations: { 'firsthand.dev/scopes': scopes.out } } });
  });

  it('proposes lines that compile, whatever the document says', () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'orders',
        '{id}',
        '{order-id}',
        '{a}.{b}',
        '*',
        '**',
        '.',
        '..',
        'a b',
        '%41',
        '%',
        'ü',
        '',
        '"',
        '#',
      ),
      fc.string({ maxLength: 6 }),
    );
    const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    const scope = fc.oneof(fc.constantFrom('a', 'b', 'token', 'anyone', 'a+b', 'a|b', 'https://x/y'), fc.string());
    const security = fc.array(fc.dictionary(fc.constantFrom('o', 'p'), fc.array(scope, { maxLength: 2 })), {
      maxLength: 3,
    });
    const operation = fc.record({ security }, { requiredKeys: [] });
    const item = fc.dictionary(fc.constantFrom('get', 'post', 'delete', 'trace', 'query'), operation);
    const servers = fc.array(fc.record({ url: fc.oneof(path, fc.webUrl(), fc.string()) }), { maxLength: 2 });
    const any = fc.record({ paths: fc.dictionary(path, item), servers, security }, { requiredKeys: ['paths'] });
    fc.assert(
      fc.property(any, (rest) => {
        const proposing = proposeFromOpenApi(JSON.stringify({ openapi: '3.0.0', ...rest }), 'x\ny.yaml');
        if (!proposing.ok) throw new Error(proposing.problem);
        compiled(proposalText(joinProposals([proposing.proposal, proposing.proposal])));
      }),
    );
  });
});

describe('from a descriptor set', () => {
  function descriptors(proto: string): Uint8Array {
    const definition = loadSync(file('shop.proto', proto));
    const message = Object.values(definition).find((each) => 'fileDescriptorProtos' in each) as unknown as {
      fileDescriptorProtos: Buffer[];
    };
    // FileDescriptorSet: field 1, length-delimited, for each file.
    return Buffer.concat(
      message.fileDescriptorProtos.flatMap((bytes) => [Buffer.from([0x0a, ...varint(bytes.length)]), bytes]),
    );
  }
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);

  it('has one line for each method, its scope guessed from the names', async () => {
    const proto = `syntax = "proto3"; package shop.v1; message M {}
      service CartService { rpc Add(M) returns (M); rpc GetCart(M) returns (stream M); rpc DeleteCart(M) returns (M);
        rpc Getaway(M) returns (M); }`;
    const { exit, out } = await run({ descriptors: [file('shop.binpb', descriptors(proto))] });
    expect(exit).toBe(0);
    expect(linesOf(out)).toEqual([
      'GRPC shop.v1.CartService/Add cart.write',
      'GRPC shop.v1.CartService/GetCart cart.read',
      'GRPC shop.v1.CartService/DeleteCart cart.delete',
      'GRPC shop.v1.CartService/Getaway cart.write',
    ]);
    expect(commentOf(out, 'GRPC shop.v1.CartService/Add')).toBe('guess: the scope, from the names');
    compiled(out);
  });

  it('proposes no reflection, and for health the workload alone', async () => {
    const proto = `syntax = "proto3"; package grpc.health.v1; message M {} service Health { rpc Check(M) returns (M); }`;
    const { out } = await run({ descriptors: [file('health.binpb', descriptors(proto))] });
    expect(linesOf(out)).toEqual(['GRPC grpc.health.v1.Health/Check workload']);
    const reflection = proto.replace('grpc.health.v1', 'grpc.reflection.v1').replace('Health', 'ServerReflection');
    const said = await run({ descriptors: [file('reflection.binpb', descriptors(reflection))] });
    expect([said.exit, said.out]).toEqual([1, '']);
  });

  it('refuses what is none', async () => {
    const said = await run({ descriptors: [file('broken.binpb', Buffer.from('hello'))] });
    expect([said.exit, said.out]).toEqual([2, '']);
    expect(said.err).toMatch(/^firsthand: .*broken\.binpb: expected a FileDescriptorSet.*\n$/);
  });
});

describe('from audit records', () => {
  const id = (path: string): string => `spiffe://prod.example/${path}`;
  const guard = id('ns/shop/sa/orders');
  const frontend = id('ns/shop/sa/frontend');
  const gateway = id('ns/edge/sa/gateway');
  const call = (fields: object): string =>
    JSON.stringify({ event: 'decision', decision: 'allow', reason: 'allowed', method: 'GET', ...fields });
  const direct = (origin: string): object => ({ origin, peer: origin, chain: [origin, guard] });
  const through = { origin: frontend, peer: gateway, chain: [frontend, gateway, guard] };
  const tokens = { scopes_held: ['orders.read', 'other'], scopes_required: ['orders.read'] };

  it('declares what was seen: who called, through whom, with which scope', async () => {
    const trail = [
      call({ path: '/orders/1', ...through, ...tokens }),
      call({ path: '/orders/22', ...direct('spiffe://partner.example/reports'), ...tokens }),
      call({ path: '/orders', method: 'POST', decision: 'deny', reason: 'route_undeclared', ...direct(frontend) }),
      call({ path: '/stats', reason: 'allowed_workload', ...direct(id('ns/mon/sa/prometheus')) }),
      call({ path: '/catalog/x', peer: gateway, chain: [gateway, guard], scopes_held: ['catalog.read'] }),
      call({ path: '/shop.v1.Cart/Add', method: 'POST', ...direct(frontend), scopes_held: ['cart.write'] }),
      call({ path: '/orders/1', method: 'PUT', mode: 'shadow', shadow: 'route_undeclared', ...direct(frontend) }),
    ].join('\n');
    const { exit, out } = await run({ audit: [file('audit.ndjson', trail)] });
    expect(exit).toBe(0);
    expect(linesOf(out)).toEqual([
      'GET /orders/{id} orders.read from=ns/shop/sa/frontend,spiffe://partner.example/reports via=direct,ns/edge/sa/gateway',
      'POST /orders orders.write from=ns/shop/sa/frontend via=direct',
      'GET /stats workload from=ns/mon/sa/prometheus via=direct',
      'GET /catalog/x catalog.read from=outside@ns/edge/sa/gateway via=ns/edge/sa/gateway',
      'GRPC shop.v1.Cart/Add cart.write from=ns/shop/sa/frontend via=direct',
      'PUT /orders/{id} orders.write from=ns/shop/sa/frontend via=direct',
    ]);
    compiled(out);
    // Whoever tried a route that nobody declared is named, and not let in without a word.
    for (const method of ['POST', 'PUT'])
      expect(commentOf(out, method)).toContain('refused until now: ns/shop/sa/frontend; keep only who is meant');
    expect(commentOf(out, 'POST')).toContain('guess: the scope, from method and path');
    expect(commentOf(out, 'GRPC')).not.toContain('refused');
  });

  it('learns nothing from what was refused for another reason, also where only shadow let it pass', async () => {
    const trail = [
      call({ path: '/orders/1', decision: 'deny', reason: 'scope_missing', ...direct(frontend) }),
      call({ path: '/orders/1', mode: 'shadow', shadow: 'caller_not_allowed', ...direct(frontend) }),
      call({ path: '/orders/1', decision: 'deny', reason: 'token_presenter_changed', ...direct(frontend) }),
    ].join('\n');
    const { exit, out, err } = await run({ audit: [file('audit.ndjson', trail)] });
    expect([exit, out]).toEqual([1, '']);
    expect(err).toContain('no route was found');
  });

  it('opens nothing to anyone: calls without a caller are told, not declared', async () => {
    const trail = [call({ path: '/healthz', reason: 'allowed_anyone' }), call({ path: '/a', ...through })].join('\n');
    const { out } = await run({ audit: [file('audit.ndjson', trail)] });
    expect(linesOf(out).length).toBe(1);
    expect(out).toContain('# left out: GET /healthz anyone: no caller is recorded');
  });

  it('names a segment where an identifier stands, and only there', async () => {
    const seen = (path: string): string => call({ path, ...direct(frontend), ...tokens });
    const many = Array.from({ length: 11 }, (_, index) => seen(`/users/${'abcdefghijk'[index]}/name`));
    const few = ['new', 'open'].map((word) => seen(`/orders/${word}`));
    const trail = [...many, ...few, seen('/x/3f2504e0-4f89-41d3-9a0c-0305e82c3301')].join('\n');
    const { out } = await run({ audit: [file('audit.ndjson', trail)] });
    expect(linesOf(out).map((line) => line.split(' ')[1])).toEqual([
      '/users/{name}/name',
      '/orders/new',
      '/orders/open',
      '/x/{id}',
    ]);
    expect(commentOf(out, 'GET /x')).toContain('looked like an identifier');
  });

  it('compiles whatever the records say, and declares every call that it counted', () => {
    const segment = fc.constantFrom(
      'orders',
      '1',
      'a-1',
      '{id}',
      '*',
      '**',
      'x y',
      '%41',
      'Orders',
      'shop.v1.Cart',
      'Add',
    );
    const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`);
    const origin = fc.constantFrom(frontend, id('ns/ops/sa/a'), 'spiffe://partner.example/x');
    const scopes = fc.array(fc.constantFrom('orders.read', 'orders.write', 'a|b', 'token', 'ü'), { maxLength: 2 });
    const record = fc.record({
      method: fc.constantFrom('GET', 'POST', 'get'),
      path,
      origin,
      held: scopes,
      required: scopes,
    });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 30 }), (records) => {
        const trail = records.map(({ method, path, origin, held, required }) =>
          call({ method, path, ...direct(origin), scopes_held: held, scopes_required: required }),
        );
        const proposing = proposeFromAudit([trail.join('\n')], 'audit');
        if (!proposing.ok) throw new Error(proposing.problem);
        const joined = joinProposals([proposing.proposal]);
        const policy = compiled(proposalText(joined));
        const told = joined.leftOut.map(({ what }) => what).join('\n');
        for (const { method, path } of records) {
          const read = readPath(path);
          if (!read.ok || told.includes(path) || told !== '') continue;
          expect(policy.route(method, read.segments).line, `${method} ${path}`).toBeDefined();
        }
      }),
    );
  });

  it('refuses what holds no decision', async () => {
    expect((await run({ audit: [file('audit.ndjson', '{"event":"policy_loaded"}\nnonsense')] })).exit).toBe(2);
  });
});

describe('init', () => {
  it('joins several sources without an overlap', async () => {
    const one = file('one.yaml', 'openapi: 3.0.0\npaths: { "/a/{x}": { get: { security: [{ o: [s] }] } } }');
    const two = file(
      'two.yaml',
      'openapi: 3.0.0\npaths: { "/a/{y}": { get: { security: [{ o: [t] }, { o: [u] }] } } }',
    );
    const { out } = await run({ openapi: [one, two] });
    expect(linesOf(out)).toEqual(['GET /a/{x} s']);
    expect(out).toContain('# left out: GET /a/{y} t|u: the same requests as GET /a/{x} s');
  });

  it('says in one line what it lacks', async () => {
    expect(await run({})).toMatchObject({ exit: 2, out: '' });
    const missing = await run({ openapi: ['no-such-file.yaml'] });
    expect(missing).toEqual({ exit: 2, out: '', err: 'firsthand: no-such-file.yaml: no such file or directory\n' });
    const wrong = await run({ openapi: [file('wrong.yaml', 'a: [')] });
    expect([wrong.exit, wrong.err.split('\n').length]).toEqual([2, 2]);
  });
});
