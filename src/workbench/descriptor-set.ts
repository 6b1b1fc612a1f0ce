/**
 * A FileDescriptorSet → proposed lines. In: the bytes that `protoc --descriptor_set_out` or `buf build` writes, read as lint
 * reads them. Out: one GRPC line for each method.
 */
import { readDescriptors } from '../lint/api/descriptors.js';
import type { Proposing } from './api-document.js';
import { guessGrpcScope } from './guess-scope.js';
import type { LeftOut, ProposedLine } from './proposal.js';

export function proposeFromDescriptors(bytes: Uint8Array, name: string): Proposing {
  const { operations, remarks: problems } = readDescriptors(name, bytes);
  const [problem] = problems;
  if (operations.length === 0) {
    const hint = problem?.hint === undefined ? '' : ` (${problem.hint})`;
    return { ok: false, problem: `${problem?.message ?? 'expected a FileDescriptorSet'}${hint}` };
  }
  const methods = [...new Set(operations.map((operation) => operation.name))];
  const leftOut: LeftOut[] = methods.filter(isReflection).map((method) => ({
    what: `GRPC ${method}`,
    why: 'reflection tells callers the whole interface; declare it only where that is meant',
  }));
  const lines = methods.filter((method) => !isReflection(method)).map(lineOf);
  const remarks = [
    `proposed from ${name}: read every line, then delete what the service does not need`,
    'a descriptor set does not say who calls: add from= with the workloads that may (from=ns/shop/sa/frontend)',
  ];
  return { ok: true, proposal: { lines, leftOut, remarks } };
}

const isReflection = (method: string): boolean => method.startsWith('grpc.reflection.');

/** `shop.v1.Cart/Add` */
function lineOf(path: string): ProposedLine {
  const [service = '', method = ''] = path.split('/');
  const line = { method: 'GRPC', path, conditions: [] };
  if (service === 'grpc.health.v1.Health')
    return { ...line, scopes: 'workload', notes: ['guess: probes have no token; workloads of the mesh alone'] };
  return { ...line, scopes: guessGrpcScope(service, method), notes: ['guess: the scope, from the names'] };
}
