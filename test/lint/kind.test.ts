import { describe, expect, it } from 'vitest';
import { kindOf } from '../../src/lint/kind.js';

describe('the kind of a file', () => {
  it.each([
    ['', 'scopes'],
    ['# a comment', 'scopes'],
    ['GET /a a', 'scopes'],
    ['get /a a', 'scopes'],
    ['GET: /a a', 'scopes'],
    ['* /a a', 'scopes'],
    ['/a a', 'scopes'],
    ['kubernetes.io/config.seen="1"', 'annotations'],
    ['app="x"', 'annotations'],
    ['firsthand.dev/scopes = "GET /a a"', 'annotations'],
    ['apiVersion: v1\nkind: Pod', 'manifest'],
    ['---\n# Source: a\napiVersion: v1', 'manifest'],
    ['{"kind": "Pod", "apiVersion": "v1"}', 'manifest'],
    ['- apiVersion: v1', 'manifest'],
    ['podAnnotations:\n  firsthand.dev/scopes: |\n    GET /a a', 'manifest'],
    ['---\n---\n', 'manifest'],
    ['trust: {}\n', 'config'],
    ['# x\npolicy:\n  scopes: a', 'config'],
    ['{"trust": {}}', 'config'],
    ['replicaCount: 1', undefined],
    ['- a\n- b', undefined],
    ['openapi: 3.1.0', undefined],
  ])('%j is told by its content', (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});
