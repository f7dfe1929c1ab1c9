import { execFile } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cleanEnvironment } from '../support/clean-environment.ts';
import { samlNames } from '../support/saml-idp.ts';
import { requireComponent } from './components.ts';

/** How a template asks to be signed. */
export interface XmlsecTemplate {
  readonly algorithm: string;
  readonly digest: string;
  readonly canonicalization: string;
  readonly transforms: readonly string[];
  /** XML behind the signature value, for xmlsec1 to fill in. */
  readonly keyInfo?: string;
}

/** Puts a signature that is still to be computed behind the issuer of an element. */
export function withTemplate(
  xml: string,
  { algorithm, digest, canonicalization, transforms, keyInfo = '' }: XmlsecTemplate,
): string {
  const id = / ID="([^"]*)"/.exec(xml)?.[1] ?? '';
  const list = transforms.map((one) => `<ds:Transform Algorithm="${one}"/>`).join('\n');
  return xml.replace(
    '</saml:Issuer>',
    `$&
<ds:Signature xmlns:ds="${samlNames.signature}">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="${canonicalization}"/>
    <ds:SignatureMethod Algorithm="${algorithm}"/>
    <ds:Reference URI="#${id}">
      <ds:Transforms>${list}</ds:Transforms>
      <ds:DigestMethod Algorithm="${digest}"/>
      <ds:DigestValue/>
    </ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue/>${keyInfo}
</ds:Signature>`,
  );
}

const identifiers = [
  '--id-attr:ID',
  `${samlNames.assertion}:Assertion`,
  '--id-attr:ID',
  `${samlNames.protocol}:Response`,
];

/** Computes the first signature of a document. */
export async function signWithXmlsec1(xml: string, key: KeyObject, certificate: string): Promise<string> {
  return withFiles({ 'in.xml': xml, 'key.pem': pem(key), 'cert.pem': certificatePem(certificate) }, (at) =>
    run(['--sign', '--privkey-pem', `${at('key.pem')},${at('cert.pem')}`, ...identifiers, at('in.xml')]),
  );
}

/** Computes the first signature of a document with a shared secret. */
export async function signWithHmac(xml: string, secret: Uint8Array): Promise<string> {
  return withFiles({ 'in.xml': xml, 'key.bin': secret }, (at) =>
    run(['--sign', '--hmackey', at('key.bin'), ...identifiers, at('in.xml')]),
  );
}

/** Whether xmlsec1 accepts the first signature of a document with this certificate. */
export async function isValidForXmlsec1(xml: string, certificate: string): Promise<boolean> {
  return withFiles({ 'in.xml': xml, 'cert.pem': certificatePem(certificate) }, (at) =>
    run(['--verify', '--pubkey-cert-pem', at('cert.pem'), ...identifiers, at('in.xml')]).then(
      () => true,
      () => false,
    ),
  );
}

async function withFiles<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (at: (name: string) => string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sts-sidecar-xmlsec1-'));
  const at = (name: string): string => join(folder, name);
  try {
    for (const [name, content] of Object.entries(files)) await writeFile(at(name), content, { mode: 0o600 });
    return await use(at);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: cleanEnvironment(), timeout: 20_000 };
    execFile(requireComponent('xmlsec1'), parameters, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`xmlsec1 failed: ${stderr.slice(-1000)}`));
    });
  });
}

/** A private key as PEM. */
export function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A certificate as PEM. */
export function certificatePem(certificate: string): string {
  return `-----BEGIN CERTIFICATE-----\n${certificate.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}
