import descriptor from 'protobufjs/ext/descriptor/index.js';
import type { IFileDescriptorSet } from 'protobufjs/ext/descriptor/index.js';
import { readServiceMethod } from '../../policy/target.js';
import { START, remark } from '../finding.js';
import type { Remark } from '../finding.js';
import type { ApiReading, Operation } from './operation.js';

/**
 * A FileDescriptorSet as `protoc --descriptor_set_out` and `buf build` write it → the methods of its services. It does NOT
 * read google.api.http: those are routes of a transcoder, not of this service.
 */
export function readDescriptors(file: string, bytes: Uint8Array): ApiReading {
  const set = decode(bytes);
  const operations = (set?.file ?? []).flatMap(({ package: name, service }) =>
    (service ?? []).flatMap((each) =>
      (each.method ?? []).flatMap((method) => operationOf(file, name ?? '', each.name ?? '', method.name ?? '')),
    ),
  );
  const complete = operations.length > 0;
  return { kind: 'descriptors', operations, complete, remarks: complete ? [] : notDescriptors(set === undefined) };
}

function decode(bytes: Uint8Array): IFileDescriptorSet | undefined {
  try {
    return descriptor.FileDescriptorSet.toObject(descriptor.FileDescriptorSet.decode(bytes)) as IFileDescriptorSet;
  } catch {
    return undefined;
  }
}

function notDescriptors(broken: boolean): Remark[] {
  const got = broken ? 'other bytes' : 'one without services';
  const message = `expected a FileDescriptorSet, got ${got}`;
  return [
    remark(START, 'error', 'api_document', message, 'make one with protoc --include_imports --descriptor_set_out=FILE'),
  ];
}

function operationOf(file: string, packageName: string, service: string, method: string): Operation[] {
  const name = `${packageName === '' ? '' : `${packageName}.`}${service}/${method}`;
  const path = readServiceMethod(name);
  return path.ok ? [{ file, at: undefined, method: 'POST', path: path.value, name, grpc: true }] : [];
}
