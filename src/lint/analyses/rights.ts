import { remark } from '../finding.js';
import { wordOf } from '../sheet.js';
import type { Analysis } from '../sheet.js';

/** `anyone` needs the operator's leave, and is not in the default of policy.ownersMay. Said where no configuration tells. */
export const checkRights: Analysis = (sheet) =>
  sheet.operator !== undefined
    ? []
    : sheet.lines
        .filter(({ scopes }) => scopes.kind === 'anyone')
        .slice(0, 1)
        .map((line) =>
          remark(
            wordOf(sheet, line, 'scopes'),
            'info',
            'right_missing',
            'anyone lines are refused unless the operator lists anyone in policy.ownersMay',
            'give --config to check it',
          ),
        );
