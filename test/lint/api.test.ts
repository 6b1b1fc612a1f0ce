import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it } from 'vitest';
import { findings, input, linted, shown } from './linted.js';

const API = `openapi: 3.1.0
servers: [{ url: "https://api.example/{base}/", variables: { base: { default: v1 } } }]
paths:
  /orders/{id}:
    parameters: []
    get: {}
    delete: {}
  /orders:
    $ref: "#/components/pathItems/orders"
  /files/{name}.json:
    servers: [{ url: / }]
    get: {}
components:
  pathItems:
    orders: { post: {} }
`;
const COVERING = 'GET,DELETE /v1/orders/{id} a\nPOST /v1/orders b\nGET /files/{file} c\n';
const against = (scopes: string, api = API): string[] => linted(scopes, { openapi: [input('api.yaml', api)] });

describe('an OpenAPI document', () => {
  it('that is covered line by line gives nothing', () => {
    expect(against(COVERING)).toEqual([]);
  });

  it('names the operation that no line covers, at its place in the document', () => {
    expect(
      findings('GET /v1/orders/{id} a\nPOST /v1/orders b\nGET /files/{file} c\n', {
        openapi: [input('api.yaml', API)],
      }),
    ).toMatchObject([
      {
        file: 'api.yaml',
        line: 7,
        column: 5,
        code: 'route_uncovered',
        hint: 'add a line: DELETE /v1/orders/{id} SCOPES',
      },
    ]);
  });

  it('is not covered by a line for one value of its parameter', () => {
    expect(against(COVERING.replace('{id}', '42'))).toEqual([
      '6:5 warning route_uncovered',
      '7:5 warning route_uncovered',
    ]);
  });

  it('names the lines that cover no operation, but not the preflights and probes of gRPC', () => {
    const more =
      'GET /v1/ordres token\nGET,HEAD,OPTIONS /v1/orders/special d\nGRPC grpc.health.v1.Health/Check workload\nGET /live anyone\n';
    expect(against(COVERING + more).filter((each) => each.includes('line_unused'))).toEqual([
      '4:1 warning line_unused',
      '7:1 info line_unused',
    ]);
  });

  it('may be JSON', () => {
    const api = JSON.stringify({ openapi: '3.0.3', paths: { '/a': { get: {} } } });
    expect(against('GET /a a', api)).toEqual([]);
    expect(against('GET /b a', api)).toEqual(['1:1 warning line_unused', '1:35 warning route_uncovered']);
  });

  it('of another version, or none at all, is refused', () => {
    expect(against('GET /a a', 'swagger: "2.0"\n')).toEqual(['1:1 error api_document']);
    expect(against('GET /a a', '{')).toEqual(['1:2 error yaml']);
    expect(against('GET /a a', '')).toEqual(['1:1 error api_document']);
  });

  it('with references that lead away calls no line unused', () => {
    const api = 'openapi: 3.1.0\npaths:\n  /a: { $ref: other.yaml }\n  /b: { get: {} }\n';
    expect(against('GET /c c', api)).toEqual(['3:3 warning api_document', '4:9 warning route_uncovered']);
  });

  it('is not compared with lines of which one is broken', () => {
    expect(against('GET a a')).toEqual(['1:5 error path']);
  });
});

describe('a descriptor set', () => {
  const set = descriptor.FileDescriptorSet.encode({
    file: [
      {
        name: 'shop.proto',
        package: 'shop.v1',
        service: [{ name: 'Cart', method: [{ name: 'Add' }, { name: 'Clear' }] }],
      },
    ],
  }).finish();
  const compare = (scopes: string, bytes: Uint8Array = set): string[] =>
    shown(findings(scopes, { descriptors: [input('shop.binpb', bytes)] }));

  it('is compared method by method', () => {
    expect(compare('GRPC shop.v1.Cart/* cart.write')).toEqual([]);
    expect(compare('POST /shop.v1.Cart/Add cart.write\nGRPC shop.v1.Cart/Clear a')).toEqual([]);
    expect(compare('GRPC shop.v1.Cart/* cart.write\nGET /carts/{id} cart.read')).toEqual([]);
    expect(compare('GRPC shop.v1.Cart/Add cart.write')).toEqual(['1:1 warning route_uncovered']);
    expect(compare('GRPC shop.v1.Cart/* cart.write\nGRPC shop.v1.Carts/* cart.write')).toEqual([
      '2:1 warning line_unused',
    ]);
  });

  it('that is none is refused', () => {
    expect(compare('GRPC a.B/C c', Buffer.from('syntax = "proto3";'))).toEqual(['1:1 error api_document']);
    expect(compare('GRPC a.B/C c', new Uint8Array())).toEqual(['1:1 error api_document']);
  });
});
