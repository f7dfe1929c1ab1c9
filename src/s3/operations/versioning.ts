import { childText, readXml, writeXml, type XmlElement, XmlError } from '../../core/xml.ts';
import { s3Error } from '../errors.ts';

/** Longest VersioningConfiguration that is read. */
export const maxVersioningBytes = 4096;

const statuses: ReadonlySet<string | undefined> = new Set(['Enabled', 'Suspended']);

/**
 * Reads a VersioningConfiguration and writes it anew for the store. MFA delete is refused: the device would be the
 * store's, registered for the one key that all callers share. Throws `MalformedXML`, `NotImplemented`.
 */
export function rewriteVersioning(body: Uint8Array): Buffer {
  const root = readConfiguration(body);
  const names = root.children.map(({ name }) => name);
  const isKnown = names.every((name) => name === 'Status' || name === 'MfaDelete');
  const isFlat = root.children.every(({ children }) => children.length === 0);
  const status = childText(root, 'Status')?.trim();
  if (!isKnown || !isFlat || new Set(names).size !== names.length) throw s3Error('MalformedXML');
  const mfaDelete = childText(root, 'MfaDelete')?.trim() ?? 'Disabled';
  if (mfaDelete === 'Enabled') throw s3Error('NotImplemented', 'MFA delete is not supported.');
  if (!statuses.has(status) || mfaDelete !== 'Disabled') throw s3Error('MalformedXML');
  const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
  return Buffer.from(writeXml('VersioningConfiguration', { Status: status }, namespace), 'utf8');
}

function readConfiguration(body: Uint8Array): XmlElement {
  try {
    const root = readXml(body, { maxBytes: maxVersioningBytes, maxDepth: 2 });
    if (root.name === 'VersioningConfiguration') return root;
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
  }
  throw s3Error('MalformedXML');
}
