/** What the guard and the Envoys write to their standard outputs, read as it comes. */
export interface AuditRecord {
  readonly [field: string]: unknown;
}

export interface AuditLog {
  /** For each line of the guard's standard output. */
  hear(line: string): void;
  byDecision(id: string): readonly AuditRecord[];
  byRequest(requestId: string): readonly AuditRecord[];
  /** Pins that were contested in this decision. */
  incidents(id: string): readonly AuditRecord[];
}

export function makeAuditLog(): AuditLog {
  const decisions: AuditRecord[] = [];
  const incidents: AuditRecord[] = [];
  return {
    hear(line) {
      const record = JSON.parse(line) as AuditRecord;
      if (record['event'] === 'decision') decisions.push(record);
      if (record['event'] === 'pin_conflict') incidents.push(record);
    },
    byDecision: (id) => decisions.filter((record) => record['id'] === id),
    byRequest: (requestId) => decisions.filter((record) => record['request_id'] === requestId),
    incidents: (id) => incidents.filter((record) => record['id'] === id),
  };
}

export interface AccessLog {
  hear(line: string): void;
  /** Response code details of a request, as far as they are known. */
  details(requestId: string): string | undefined;
}

export function makeAccessLog(): AccessLog {
  const details = new Map<unknown, string>();
  return {
    hear(line) {
      if (!line.startsWith('{')) return;
      const record = JSON.parse(line) as AuditRecord;
      details.set(record['request_id'], `${String(record['status'])} ${String(record['details'])}`);
    },
    details: (requestId) => details.get(requestId),
  };
}
