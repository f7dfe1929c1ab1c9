import { auditRecord } from '../src/audit/audit-record.ts';
import { type JsonSchema, jsonSchemaOf } from './json-schema.ts';

/** The JSON Schema of an audit record, for those who read the trail. */
export function auditRecordSchema(): JsonSchema {
  return { ...jsonSchemaOf(auditRecord), description: 'An audit record of sts-sidecar.' };
}
