import type { XmlElement } from '../../core/xml.ts';
import { durationDays, objectLockKeys, parseCount, parseInstant, writeInstant } from '../object-lock.ts';
import type { ConditionKey, DocumentFacts, DocumentRule, S3Request } from '../operation.ts';
import { leafText, malformed, readDocument, uniqueChildren, writeDocument } from '../strict-document.ts';

const maxBytes = 4096;

const modes: readonly string[] = ['GOVERNANCE', 'COMPLIANCE'];
const switches: readonly string[] = ['ON', 'OFF'];

/** `<Retention>`, told to policies and written anew. */
export const retentionDocument: DocumentRule = { maxBytes, read: readRetention };

/** `<LegalHold>`, told to policies and written anew. */
export const legalHoldDocument: DocumentRule = { maxBytes, read: readLegalHold };

const retentionElements: ReadonlySet<string> = new Set([
  'Mode',
  'RetainUntilDate',
  'EventHold',
  'EventHoldDuration',
]);
const durationElements: ReadonlySet<string> = new Set(['Days', 'Years']);
const legalHoldElements: ReadonlySet<string> = new Set(['Status']);

// An empty one takes the retention away. Source: AWS "PutObjectRetention".
function readRetention({ raw }: S3Request, body: Buffer): DocumentFacts {
  const children = uniqueChildren(
    readDocument(body, { root: 'Retention', maxBytes, maxDepth: 3 }),
    retentionElements,
  );
  const mode = readChoice(children.get('Mode'), modes);
  const eventHold = readChoice(children.get('EventHold'), switches);
  const retainUntilMs = readInstant(children.get('RetainUntilDate'));
  const { days, years } = readDuration(children.get('EventHoldDuration'));
  const lock = { retainUntilMs, eventHoldDays: durationDays(days, years) };
  return {
    conditionKeys: [
      ...textKey('s3:object-lock-mode', mode),
      ...textKey('s3:object-lock-event-hold', eventHold),
      ...objectLockKeys(lock, raw.receivedAtMs),
    ],
    rewritten: writeDocument('Retention', {
      Mode: mode,
      RetainUntilDate: retainUntilMs === undefined ? undefined : writeInstant(retainUntilMs),
      EventHold: eventHold,
      EventHoldDuration: lock.eventHoldDays === undefined ? undefined : { Days: days, Years: years },
    }),
  };
}

function readLegalHold(_: S3Request, body: Buffer): DocumentFacts {
  const children = uniqueChildren(
    readDocument(body, { root: 'LegalHold', maxBytes, maxDepth: 2 }),
    legalHoldElements,
  );
  const status = readChoice(children.get('Status'), switches);
  if (status === undefined) throw malformed();
  return {
    conditionKeys: textKey('s3:object-lock-legal-hold', status),
    rewritten: writeDocument('LegalHold', { Status: status }),
  };
}

function readChoice(element: XmlElement | undefined, choices: readonly string[]): string | undefined {
  const text = leafText(element)?.trim();
  if (text !== undefined && !choices.includes(text)) throw malformed();
  return text;
}

function readInstant(element: XmlElement | undefined): number | undefined {
  const text = leafText(element)?.trim();
  if (text === undefined) return undefined;
  const instantMs = parseInstant(text);
  if (instantMs === undefined) throw malformed();
  return instantMs;
}

interface Duration {
  readonly days: number | undefined;
  readonly years: number | undefined;
}

function readDuration(element: XmlElement | undefined): Duration {
  if (element === undefined) return { days: undefined, years: undefined };
  const children = uniqueChildren(element, durationElements);
  if (children.size !== 1) throw malformed();
  return { days: readCount(children.get('Days')), years: readCount(children.get('Years')) };
}

function readCount(element: XmlElement | undefined): number | undefined {
  const text = leafText(element)?.trim();
  if (text === undefined) return undefined;
  const count = parseCount(text);
  if (count === undefined) throw malformed();
  return count;
}

function textKey(key: string, value: string | undefined): ConditionKey[] {
  return value === undefined ? [] : [[key, [value]]];
}
