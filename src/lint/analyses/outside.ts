import { remark } from '../finding.js';
import { conditionItems } from '../sheet.js';
import type { Analysis } from '../sheet.js';
import { OUTSIDE } from './domains.js';

/** `outside_on_workload`: outside is no workload, so that a workload line never lets it in, whatever its from= says. */
export const checkOutside: Analysis = (sheet) =>
  sheet.lines
    .filter(({ scopes }) => scopes.kind === 'workload')
    .flatMap((line) => conditionItems(sheet, line, 'from').filter(({ text }) => text.startsWith(OUTSIDE)))
    .map((item) =>
      remark(
        item,
        'error',
        'outside_on_workload',
        'a workload line never lets outside in: no workload stands behind the forwarder',
        'ask for a scope or token in a line of its own, or take it out of from=',
      ),
    );
