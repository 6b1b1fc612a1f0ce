import { remark } from '../finding.js';
import { methodsOf, writes } from '../requests.js';
import { wordOf } from '../sheet.js';
import type { Analysis } from '../sheet.js';

/**
 * `anyone_writes`, `workload_writes`: a line without a token on a method that may change something. GRPC lines are left
 * out: every gRPC call is a POST, and the name of a method does not tell what it does.
 */
export const checkWrites: Analysis = (sheet) =>
  sheet.lines.flatMap((line) => {
    const { methods, scopes } = line;
    if ((scopes.kind !== 'anyone' && scopes.kind !== 'workload') || methods.kind === 'grpc') return [];
    const writing = methodsOf(methods).filter(writes);
    if (writing.length === 0) return [];
    const named =
      methods.kind === 'star' ? `"*" is ${writing.join(', ')} too` : `${writing.join(', ')} may change something`;
    const [code, who] =
      scopes.kind === 'anyone'
        ? (['anyone_writes', 'anyone at all may call it'] as const)
        : (['workload_writes', 'a workload may call it without a token'] as const);
    const hint =
      methods.kind === 'star'
        ? 'name the methods that only read, for example GET,HEAD'
        : 'ask for a scope, or at least token';
    return [remark(wordOf(sheet, line, 'method'), 'warning', code, `${named}, and ${who}`, hint)];
  });
