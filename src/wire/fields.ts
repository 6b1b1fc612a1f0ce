/**
 * What the protocol says about every field that we rely on, and the proof that `proto/` says the same. A wrong number
 * would not fail anywhere else: protobuf skips what it does not know, and an answer without a status is an OK.
 * In: loaded definitions. Throws a fault that names the message and the field. Does NOT look at other fields.
 */
import type { PackageDefinition } from '@grpc/proto-loader';
import { messageType, PROTOCOL } from './proto.js';

type FieldTable = Readonly<Record<string, Readonly<Record<string, readonly [number: number, type: string]>>>>;

/** Full message name → field → number and type; messages and enums by their last name, a map by its entry's. */
const FIELDS: FieldTable = {
  'envoy.service.auth.v3.CheckRequest': { attributes: [1, 'AttributeContext'] },
  'envoy.service.auth.v3.AttributeContext': {
    source: [1, 'Peer'],
    destination: [2, 'Peer'],
    request: [4, 'Request'],
  },
  'envoy.service.auth.v3.AttributeContext.Peer': { principal: [4, 'string'], certificate: [5, 'string'] },
  'envoy.service.auth.v3.AttributeContext.Request': { http: [2, 'HttpRequest'] },
  'envoy.service.auth.v3.AttributeContext.HttpRequest': {
    method: [2, 'string'],
    headers: [3, 'repeated Headers'],
    path: [4, 'string'],
    host: [5, 'string'],
    header_map: [13, 'HeaderMap'],
  },
  'envoy.service.auth.v3.AttributeContext.HttpRequest.Headers': { key: [1, 'string'], value: [2, 'string'] },
  'envoy.config.core.v3.HeaderMap': { headers: [1, 'repeated HeaderValue'] },
  'envoy.config.core.v3.HeaderValue': { key: [1, 'string'], value: [2, 'string'], raw_value: [3, 'bytes'] },
  'envoy.config.core.v3.HeaderValueOption': {
    header: [1, 'HeaderValue'],
    append: [2, 'BoolValue'],
    append_action: [3, 'HeaderAppendAction'],
  },
  'envoy.service.auth.v3.CheckResponse': {
    status: [1, 'Status'],
    denied_response: [2, 'DeniedHttpResponse'],
    ok_response: [3, 'OkHttpResponse'],
    dynamic_metadata: [4, 'Struct'],
  },
  'envoy.service.auth.v3.DeniedHttpResponse': {
    status: [1, 'HttpStatus'],
    headers: [2, 'repeated HeaderValueOption'],
    body: [3, 'string'],
  },
  'envoy.service.auth.v3.OkHttpResponse': {
    headers: [2, 'repeated HeaderValueOption'],
    headers_to_remove: [5, 'repeated string'],
  },
  'envoy.type.v3.HttpStatus': { code: [1, 'StatusCode'] },
  'google.rpc.Status': { code: [1, 'int32'] },
  'google.protobuf.Struct': { fields: [1, 'repeated Fields'] },
  'google.protobuf.Struct.Fields': { key: [1, 'string'], value: [2, 'Value'] },
  'google.protobuf.Value': {
    number_value: [2, 'double'],
    string_value: [3, 'string'],
    bool_value: [4, 'bool'],
    list_value: [6, 'ListValue'],
  },
  'google.protobuf.ListValue': { values: [1, 'repeated Value'] },
  'google.protobuf.BoolValue': { value: [1, 'bool'] },
};

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
