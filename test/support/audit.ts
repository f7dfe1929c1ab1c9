import { type AuditRecord, auditRecord } from '../../src/audit/audit-record.ts';

/** The YAML of an audit trail in the output of the sidecar. */
export const auditToStdout = 'audit: { stdout: true }';

const isRecord = (line: string): boolean => line.startsWith('{"eventVersion"');

/** The audit records among lines. Each must be valid by the published schema. */
export function recordsIn(lines: readonly string[]): AuditRecord[] {
  return lines.filter(isRecord).map((line) => auditRecord.parse(JSON.parse(line)));
}

/** The records of a file of lines. */
export function recordsOf(text: string): AuditRecord[] {
  return recordsIn(text.split('\n'));
}
