import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { afterAll, describe, expect, test } from 'vitest';
import { proveFieldNumbers } from '../../src/wire/fields.js';
import { AUTHORIZATION, CHECK_PATH, loadProtocol, PROTOCOL } from '../../src/wire/proto.js';

const PROTO = new URL('../../proto/', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'firsthand-proto-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Kept true by test/state/spiffe/messages.test.ts. */
const ANOTHER_PROTOCOL = 'workload_api.proto';

/** Every field declaration of our files; enum values begin with a capital letter. */
const FILES = readdirSync(PROTO).filter((file) => file !== ANOTHER_PROTOCOL);
const DECLARATIONS = FILES.flatMap((file) =>
  readFileSync(join(PROTO, file), 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const match = /^\s+(.+) ([a-z_]+) = (\d+);$/.exec(line);
      return match === null ? [] : [{ file, index, line, type: match[1] as string, name: match[2] as string }];
    }),
);

/** The protocol with one line of one file replaced. */
function tampered(file: string, index: number, replacement: string): ReturnType<typeof loadProtocol> {
  const copy = mkdtempSync(join(directory, 'copy-'));
  cpSync(PROTO, copy, { recursive: true });
  const lines = readFileSync(join(PROTO, file), 'utf8').split('\n');
  lines[index] = replacement;
  writeFileSync(join(copy, file), lines.join('\n'));
  return loadProtocol(copy);
}

test('the proto files say what the protocol says', () => {
  expect(() => proveFieldNumbers()).not.toThrow();
  expect((PROTOCOL[AUTHORIZATION] as ServiceDefinition)['Check']?.path).toBe(CHECK_PATH);
});

describe('a field that is not the protocol’s is a fault that names it', () => {
  test('the declarations were found', () => expect(DECLARATIONS.length).toBe(37));

  test.each(DECLARATIONS)('$file: number of $type $name', ({ file, index, line, name }) => {
    const protocol = tampered(file, index, line.replace(/= \d+;/, '= 99;'));
    expect(() => proveFieldNumbers(protocol)).toThrow(new RegExp(`expected .*${name}.* got .* = 99$`));
  });

  test.each(DECLARATIONS)('$file: type of $type $name', ({ file, index, line, type, name }) => {
    const other = type === 'fixed64' ? 'sint32' : 'fixed64';
    const protocol = tampered(file, index, line.replace(type, other));
    expect(() => proveFieldNumbers(protocol)).toThrow(name);
  });

  test.each(DECLARATIONS)('$file: name of $type $name', ({ file, index, line, name }) => {
    const protocol = tampered(file, index, line.replace(` ${name} =`, ` ${name}_ =`));
    expect(() => proveFieldNumbers(protocol)).toThrow(name);
  });
});

test('a message that is missing is a fault that names it', () => {
  const rest = { ...PROTOCOL };
  delete rest['google.rpc.Status'];
  expect(() => proveFieldNumbers(rest)).toThrow('google.rpc.Status');
});
