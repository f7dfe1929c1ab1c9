import { isoSeconds } from '../core/clock.ts';
import type { RawRequest } from '../core/raw-request.ts';
import { writeXml, type XmlTree } from '../core/xml.ts';
import { contentTypes, stsNamespace, wireFormat } from './wire-format.ts';

/** A response of the service. The edge adds the headers common to all responses. */
export interface StsResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** The members of an action's result, in document order. Members that are `undefined` are left out. */
export interface StsResult {
  readonly [name: string]: StsResultValue | undefined;
}
type StsResultValue = string | number | Date | StsResult;

/**
 * Renders a successful response: `<XResponse><XResult>…</XResult><ResponseMetadata/></XResponse>`, or the same tree as JSON.
 * Times are ISO 8601 with whole seconds in XML, and epoch seconds in JSON.
 */
export function renderStsResult(action: string, result: StsResult, raw: RawRequest): StsResponse {
  const format = wireFormat(raw);
  const content = {
    [`${action}Result`]: format === 'xml' ? toXmlTree(result) : toJsonTree(result),
    ResponseMetadata: { RequestId: raw.requestId },
  };
  const body =
    format === 'xml'
      ? writeXml(`${action}Response`, content, stsNamespace)
      : JSON.stringify({ [`${action}Response`]: content });
  return { status: 200, contentType: contentTypes[format], body };
}

function toXmlTree(result: StsResult): XmlTree {
  return mapTree(result, (time) => isoSeconds(time.getTime()));
}

function toJsonTree(result: StsResult): XmlTree {
  return mapTree(result, (time) => Math.floor(time.getTime() / 1000));
}

function mapTree(result: StsResult, writeTime: (time: Date) => string | number): XmlTree {
  const tree: Record<string, XmlTree | string | number> = {};
  for (const [name, value] of Object.entries(result)) {
    if (value === undefined) continue;
    if (value instanceof Date) tree[name] = writeTime(value);
    else tree[name] = typeof value === 'object' ? mapTree(value, writeTime) : value;
  }
  return tree;
}
