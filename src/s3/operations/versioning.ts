import { s3Error } from '../errors.ts';
import type { DocumentRule } from '../operation.ts';
import { leafText, malformed, readDocument, uniqueChildren, writeDocument } from '../strict-document.ts';

const maxBytes = 4096;
const elements: ReadonlySet<string> = new Set(['Status', 'MfaDelete']);
const statuses: ReadonlySet<string> = new Set(['Enabled', 'Suspended']);

/** Written anew, so that MFA delete cannot hide in it. */
export const versioningDocument: DocumentRule = {
  maxBytes,
  read: (_, body) => ({ rewritten: rewriteVersioning(body) }),
};

/**
 * Reads a VersioningConfiguration and writes it anew for the store. MFA delete is refused: the device would be the
 * store's, registered for the one key that all callers share.
 * @throws `MalformedXML`, `NotImplemented`
 */
function rewriteVersioning(body: Uint8Array): Buffer {
  const shape = { root: 'VersioningConfiguration', maxBytes, maxDepth: 2 };
  const children = uniqueChildren(readDocument(body, shape), elements);
  const status = leafText(children.get('Status'))?.trim() ?? '';
  const mfaDelete = leafText(children.get('MfaDelete'))?.trim() ?? 'Disabled';
  if (mfaDelete === 'Enabled') throw s3Error('NotImplemented', 'MFA delete is not supported.');
  if (!statuses.has(status) || mfaDelete !== 'Disabled') throw malformed();
  return writeDocument('VersioningConfiguration', { Status: status });
}
