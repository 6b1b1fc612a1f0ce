import { describe, expect, it } from 'vitest';
import { linted } from './linted.js';

const BAD = 'firsthand.dev/scopes: GET a a';

describe('pods in manifests', () => {
  it.each([
    ['Pod', `kind: Pod\nmetadata: { annotations: { ${BAD} } }`, 54],
    ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'Rollout'].map(
      (kind): [string, string, number] => [
        kind,
        `kind: ${kind}\nspec: { template: { metadata: { annotations: { ${BAD} } } } }`,
        74,
      ],
    ),
  ])('are found in a %s', (_, text, column) => {
    expect(linted(`apiVersion: v1\n${text}\n`)).toEqual([`3:${column} error path`]);
  });

  it('are found behind anchors and merge keys, and said once', () => {
    const text = `apiVersion: v1
kind: Pod
metadata:
  annotations: &a
    firsthand.dev/scopes: GET a a
---
apiVersion: v1
kind: List
items:
  - kind: Pod
    metadata: &m { annotations: { firsthand.dev/scopes: GET b b } }
  - kind: Pod
    metadata: *m
`;
    expect(linted(text)).toEqual(['5:31 error path', '11:61 error path']);
  });

  it('without annotations of ours are none of our business', () => {
    expect(linted('apiVersion: v1\nkind: Pod\nmetadata: { annotations: { a.example/x: 1 } }\n')).toEqual([]);
    expect(linted('apiVersion: v1\nkind: ConfigMap\ndata: { scopes: "GET a a" }\n')).toEqual([]);
  });

  it('say nothing about an owner at the right place, and something at the wrong one', () => {
    const at = (place: string): string[] =>
      linted(
        `apiVersion: apps/v1\nkind: Deployment\n${place}: { firsthand.dev/owner: a }${'}'.repeat(place.split('{').length - 1)}\n`,
      );
    expect(at('spec: { template: { metadata: { annotations')).toEqual([]);
    expect(at('metadata: { annotations')).toEqual(['3:28 error annotation_misplaced']);
    expect(at('spec: { template: { metadata')).toEqual(['3:33 error annotation_misplaced']);
  });

  it('are not taken for the managed fields of a live object', () => {
    const fields = '[{ fieldsV1: { "f:metadata": { "f:annotations": { "f:firsthand.dev/scopes": {} } } } }]';
    expect(linted(`apiVersion: v1\nkind: Pod\nmetadata: { managedFields: ${fields} }\n`)).toEqual([]);
  });

  it('may put shadow where the operator says so', () => {
    const text = 'apiVersion: v1\nkind: Pod\nmetadata: { annotations: { firsthand.dev/mode: shadow } }\n';
    const operator = (may: string): string =>
      `trust: { a.example: { bundle: a.pem } }\npolicy: { scopes: lines, ownersMay: [${may}] }\n`;
    expect(linted(text)).toEqual(['3:48 info right_missing']);
    expect(linted(text, { operator: operator('shadow') })).toEqual([]);
    expect(linted(text, { operator: operator('workload') })).toEqual(['3:48 error right_missing']);
  });
});
