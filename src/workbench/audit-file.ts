/**
 * One record out of an audit file. In: the file, the id of a decision. Out: the record as replay reads it, with what only a
 * story tells; or what is wrong in words. Other lines are passed over, also broken ones. Does NOT believe a record: whoever
 * could write the file wrote it.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { AuditedCheck } from '../replay/audited.js';

const RecordedDecision = AuditedCheck.extend({
  ignored_history: z.array(z.string()).optional(),
});
export type RecordedDecision = z.output<typeof RecordedDecision>;

export async function findRecord(file: string, id: string): Promise<RecordedDecision | { readonly problem: string }> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  try {
    for await (const line of lines) {
      // Most lines are somebody else's: reading them all as JSON would take minutes on a large file.
      const record = line.includes(id) ? recordIn(line) : undefined;
      if (record?.id === id) return record;
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'not readable';
    return { problem: `${file}: ${code === 'ENOENT' ? 'no such file or directory' : code}` };
  } finally {
    lines.close();
  }
  return { problem: `${file}: no decision has the id ${JSON.stringify(id.slice(0, 80))}` };
}

/** Undefined where the line is no decision's record. */
export function recordIn(line: string): RecordedDecision | undefined {
  try {
    const read = RecordedDecision.safeParse(JSON.parse(line));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
