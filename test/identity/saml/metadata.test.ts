import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSamlMetadata, SamlMetadataError } from '../../../src/identity/saml/metadata.ts';
import { selfSigned } from '../../support/certificates.ts';
import { rsaKey } from '../../support/keys.ts';
import { createSamlIdp, writeMetadata } from '../../support/saml-idp.ts';

const idp = createSamlIdp({ roles: [], now: () => 0, key: rsaKey('company') });
const elliptic = createSamlIdp({ roles: [], now: () => 0, keyType: 'ec' });
const short = selfSigned(rsaKey('short', 1024));
const koblitz = selfSigned(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey);
const { metadata } = idp;

const fault = (text: string): string => {
  try {
    readSamlMetadata(text);
    return 'accepted';
  } catch (error) {
    if (error instanceof SamlMetadataError) return error.message;
    throw error;
  }
};

describe('metadata of an identity provider', () => {
  it('gives its entity id and signing certificates', () => {
    expect(readSamlMetadata(metadata)).toEqual({ entityId: idp.entityId, certificates: [idp.certificate] });
  });

  it('gives every signing certificate once, including those without a use, and none for encryption', () => {
    const both = writeMetadata('urn:idp', [idp.certificate, elliptic.certificate, idp.certificate]);
    expect(readSamlMetadata(both).certificates).toEqual([idp.certificate, elliptic.certificate]);
    expect(readSamlMetadata(both.replace(' use="signing"', '')).certificates).toHaveLength(2);
    const encrypting = both.replace('use="signing"', 'use="encryption"').replace(idp.certificate, short);
    expect(readSamlMetadata(encrypting).certificates).toEqual([elliptic.certificate, idp.certificate]);
  });

  it('may have Windows line ends and certificates over several lines', () => {
    const lines = `\ufeff${metadata.replace(idp.certificate, idp.certificate.replaceAll(/.{64}/g, '$&\n    '))}`;
    expect(readSamlMetadata(lines.replaceAll('\n', '\r\n')).certificates).toEqual([idp.certificate]);
  });

  it.each<[string, string, string]>([
    ['not XML', 'kind: saml', 'is not acceptable XML: '],
    ['nothing', '', 'is not acceptable XML: '],
    [
      'a DOCTYPE',
      `<!DOCTYPE x [<!ENTITY e "x">]>${metadata.replace(/<\?.*\?>/, '')}`,
      'is not acceptable XML: ',
    ],
    [
      'an entity',
      metadata.replace('</md:IDPSSODescriptor>', '&e;</md:IDPSSODescriptor>'),
      'is not acceptable XML: entities',
    ],
    ['a comment that does not end', `${metadata}<!-- x`, 'is not acceptable XML: a comment'],
    [
      'another root',
      metadata.replaceAll('md:EntityDescriptor', 'md:EntitiesDescriptor'),
      'must be SAML 2.0 metadata',
    ],
    [
      'another namespace',
      metadata.replaceAll('SAML:2.0:metadata', 'SAML:1.0:metadata'),
      'must be SAML 2.0 metadata',
    ],
    ['no entity id', metadata.replace(/ entityID="[^"]*"/, ''), 'must have an entityID'],
    ['an entity id with a space', metadata.replace('entityID="', 'entityID=" '), 'must have an entityID'],
    [
      'a service instead of a provider',
      metadata.replaceAll('IDPSSODescriptor', 'SPSSODescriptor'),
      'must describe an identity provider',
    ],
    [
      'a provider of SAML 1.1 only',
      metadata.replace('SAML:2.0:protocol', 'SAML:1.1:protocol'),
      'must describe an identity provider',
    ],
    ['no certificate', writeMetadata('urn:idp', []), 'must hold a signing certificate'],
    [
      'only keys for encryption',
      metadata.replace('use="signing"', 'use="encryption"'),
      'must hold a signing certificate',
    ],
    [
      'an empty certificate',
      writeMetadata('urn:idp', ['']),
      'holds a signing certificate that cannot be used',
    ],
    [
      'an invalid certificate',
      writeMetadata('urn:idp', ['AAAA']),
      'holds a signing certificate that cannot be used',
    ],
    [
      'a key that is too short',
      writeMetadata('urn:idp', [idp.certificate, short]),
      'holds a signing certificate that cannot be used',
    ],
    [
      'an unusual curve',
      writeMetadata('urn:idp', [koblitz]),
      'holds a signing certificate that cannot be used',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(fault(text)).toContain(message);
  });

  it('is refused with more than ten signing certificates', () => {
    const certificates = Array.from({ length: 11 }, (_, index) => selfSigned(idp.privateKey, `key ${index}`));
    expect(fault(writeMetadata('urn:idp', certificates))).toContain('must not hold more than 10');
  });
});
