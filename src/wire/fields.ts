/**
 * The proof that `proto/` says what the protocol says about every field that we rely on. A wrong number would not fail
 * anywhere else: protobuf skips what it does not know, and an answer without a status is an OK.
 * In: loaded definitions. Throws a fault that names the message and the field. Does NOT look at other fields.
 */
import type { PackageDefinition } from '@grpc/proto-loader';
import { FIELDS } from './field-numbers.js';
import { messageType, PROTOCOL } from './proto.js';

/** The part of google.protobuf.DescriptorProto that is looked at. */
interface MessageDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
  readonly nestedType: readonly MessageDescriptor[];
}
interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

/** Called before a listener opens. Kept true by test/wire/fields.test.ts, which tampers with every field. */
export function proveFieldNumbers(protocol: PackageDefinition = PROTOCOL): void {
  for (const [message, fields] of Object.entries(FIELDS)) {
    const declared = new Map(describe(protocol, message).field.map((field) => [field.name, field]));
    for (const [name, [number, type]] of Object.entries(fields)) {
      const found = declared.get(name);
      const got = found === undefined ? 'no such field' : `${typeOf(found)} = ${found.number}`;
      if (got !== `${type} = ${number}`)
        throw new Error(
          `the proto files are not the protocol's: expected ${message}.${name} as ${type} = ${number}, got ${got}`,
        );
    }
  }
}

/** Nested messages are found inside the one that stands around them. */
function describe(protocol: PackageDefinition, name: string): MessageDescriptor {
  const found = lookUp(protocol, name);
  if (found === undefined) throw new Error(`the proto files do not declare the message ${name}`);
  return found;
}

function lookUp(protocol: PackageDefinition, name: string): MessageDescriptor | undefined {
  if (protocol[name] !== undefined) return messageType(protocol, name).type as MessageDescriptor;
  const dot = name.lastIndexOf('.');
  if (dot < 0) return undefined;
  return lookUp(protocol, name.slice(0, dot))?.nestedType.find((inner) => inner.name === name.slice(dot + 1));
}

/** `TYPE_STRING` → `string`; messages and enums by their last name. */
function typeOf(field: FieldDescriptor): string {
  const scalar = field.type.slice('TYPE_'.length).toLowerCase();
  const type = field.typeName === '' ? scalar : field.typeName.slice(field.typeName.lastIndexOf('.') + 1);
  return field.label === 'LABEL_REPEATED' ? `repeated ${type}` : type;
}
