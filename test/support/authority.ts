import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { der, oids } from './certificates.ts';

/** A certificate and its key, PEM. */
export interface Issued {
  readonly certPem: string;
  readonly keyPem: string;
}

/** What a certificate says. */
export interface CertificateOptions {
  /** Host names and addresses. */
  readonly names?: readonly string[];
  /** When it begins and ends; from an hour ago until in ten days when absent. */
  readonly from?: Date;
  readonly to?: Date;
}

/** A private authority, made for one test. */
export interface Authority {
  readonly certPem: string;
  issue(options?: CertificateOptions): Issued;
  /** Certifies another authority. */
  intermediate(name: string): Authority;
}

const dayMs = 86_400_000;

/** Makes an authority with a key of its own. */
export function createAuthority(name = 'test authority'): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { name, key: privateKey };
  return authorityOf(issuer, certificate({ name, key: privateKey, isAuthority: true }, issuer));
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

function authorityOf(self: Issuer, certPem: string): Authority {
  return {
    certPem,
    issue: (options = {}) => {
      const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const subject = { name: 'test subject', key, isAuthority: false, ...options };
      return {
        certPem: certificate(subject, self),
        keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
    intermediate: (name) => {
      const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return authorityOf({ name, key }, certificate({ name, key, isAuthority: true }, self));
    },
  };
}

interface Subject extends Issuer, CertificateOptions {
  readonly isAuthority: boolean;
}

/** RFC 5280. */
function certificate(subject: Subject, issuer: Issuer): string {
  const { from = new Date(Date.now() - 3_600_000), to = new Date(Date.now() + 10 * dayMs) } = subject;
  const algorithm = Buffer.from(oids['ec'] ?? '', 'hex');
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer.name),
    der(0x30, timeOf(from), timeOf(to)),
    nameOf(subject.name),
    createPublicKey(subject.key).export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions(subject))),
  );
  const signature = sign('sha256', body, issuer.key);
  const text = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;
}

function nameOf(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))));
}

function timeOf(date: Date): Buffer {
  return der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}

function extensions({ isAuthority, names = [] }: Subject): readonly Buffer[] {
  const yes = der(0x01, Buffer.from([0xff]));
  const basic = der(
    0x30,
    Buffer.from('0603551d13', 'hex'),
    yes,
    der(0x04, der(0x30, ...(isAuthority ? [yes] : []))),
  );
  if (names.length === 0) return [basic];
  const alternatives = names.map((name) =>
    isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  );
  return [basic, der(0x30, Buffer.from('0603551d11', 'hex'), der(0x04, der(0x30, ...alternatives)))];
}
