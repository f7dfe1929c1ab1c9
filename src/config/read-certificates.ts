import { X509Certificate } from 'node:crypto';
import type { Path } from './path.ts';
import type { Reading } from './reading.ts';

const maxFileBytes = 1024 * 1024;
const certificate = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Reads the certificates of authorities, PEM, out of a file. Reports why it cannot and returns `undefined`. */
export function readCertificates(reading: Reading, path: Path, fileName: string): string | undefined {
  const file = reading.context.sources.readText(fileName, maxFileBytes);
  if (!file.ok) {
    reading.problem(path, `the file ${JSON.stringify(fileName)} ${file.reason}`);
    return undefined;
  }
  // Node silently treats a file with no certificates, or broken ones, as no authority at all.
  const found = certificatesIn(file.text);
  if (found.length > 0 && found.every(isCertificate)) return found.join('\n');
  reading.problem(path, `the file ${JSON.stringify(fileName)} must hold certificates in PEM form`);
  return undefined;
}

/** The certificates of a PEM text, each with its lines of dashes. */
export function certificatesIn(text: string): readonly string[] {
  return text.match(certificate) ?? [];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch {
    return false;
  }
}
