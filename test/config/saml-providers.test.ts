import { describe, expect, it } from 'vitest';
import { createSamlIdp, writeMetadata } from '../support/saml-idp.ts';
import { configuration, load, problemsOf, type World } from './samples.ts';

const idp = createSamlIdp({ roles: [], now: () => 0 });
const files = { 'idp.xml': idp.metadata };
const saml = 'kind: saml, name: MySAMLIdP, metadataFile: idp.xml';

const withProviders = (...providers: string[]): string =>
  configuration({
    directory: `directory:\n  identityProviders:\n${providers.map((one) => `    - { ${one} }`).join('\n')}`,
  });

/** Problems without their place. */
const problems = (provider: string, world: World = { files }): string[] =>
  problemsOf(withProviders(provider), world).map((line) => line.replace(/^\S+ /, ''));

describe('a SAML provider', () => {
  it('is read with its metadata and with the recipient and audience of AWS', () => {
    expect(load(withProviders(saml), { files }).settings.identityProviders).toEqual([
      {
        kind: 'saml',
        name: 'MySAMLIdP',
        entityId: idp.entityId,
        certificates: [idp.certificate],
        recipients: ['https://signin.aws.amazon.com/saml'],
        audiences: ['urn:amazon:webservices'],
      },
    ]);
  });

  it('may have recipients and audiences of its own, and an entity id in common with another', () => {
    const own = `${saml}, recipients: ["http://a/saml", "https://b/saml"], audiences: ["urn:a"]`;
    const { identityProviders } = load(withProviders(own, saml.replace('MySAMLIdP', 'second')), {
      files,
    }).settings;
    expect(identityProviders[0]).toMatchObject({
      recipients: ['http://a/saml', 'https://b/saml'],
      audiences: ['urn:a'],
    });
    expect(identityProviders).toHaveLength(2);
  });

  it.each([
    [saml.replace(', metadataFile: idp.xml', ''), 'metadataFile: is required'],
    [saml.replace('idp.xml', '""'), 'metadataFile: must be the path of a file'],
    [saml.replace('idp.xml', 'missing.xml'), 'metadataFile: the file "missing.xml" cannot be read: ENOENT'],
    [saml.replace('MySAMLIdP', '"a/b"'), 'name: must be 1 to 64 letters, digits, "_", "." or "-"'],
    [`${saml}, recipients: []`, 'recipients: must not be empty: nothing would be accepted'],
    [`${saml}, recipients: [saml]`, 'recipients[0]: must be an http or https URL of at most 255 characters'],
    [
      `${saml}, recipients: ["https://a b"]`,
      'recipients[0]: must be an http or https URL of at most 255 characters',
    ],
    [`${saml}, audiences: []`, 'audiences: must not be empty: nothing would be accepted'],
    [`${saml}, audiences: [""]`, 'audiences[0]: must be 1 to 2000 printable characters without spaces'],
    [`${saml}, audience: x`, 'audience: unknown key (did you mean "audiences"?)'],
    [`${saml}, issuer: "https://idp.example.com"`, 'issuer: unknown key'],
  ])('is refused: %s', (provider, problem) => {
    expect(problems(provider)).toEqual([`directory.identityProviders[0].${problem}`]);
  });

  it.each([
    ['not XML', 'name: x', 'is not acceptable XML: '],
    ['a DOCTYPE', `<!DOCTYPE x []>${idp.metadata}`, 'is not acceptable XML: '],
    ['no certificate', writeMetadata('urn:x', []), 'must hold a signing certificate'],
    ['a megabyte and more', `${idp.metadata}${' '.repeat(1024 * 1024)}`, 'is larger than 1048576 bytes'],
  ])('is refused with metadata that are %s', (_, text, message) => {
    const [problem = '', ...others] = problems(saml, { files: { 'idp.xml': text } });
    expect(problem).toContain(`directory.identityProviders[0].metadataFile: the file "idp.xml" ${message}`);
    expect(others).toEqual([]);
  });

  it('shares its name with no other provider', () => {
    const oidc = 'kind: oidc, name: mysamlidp, issuer: "https://login.example.com", clientIds: [app]';
    expect(problemsOf(withProviders(saml, oidc), { files })[0]).toContain(
      'directory.identityProviders[1].name: repeats the name of another identity provider',
    );
  });

  it('causes a warning when a trust policy names it and the configuration lacks it', () => {
    const warnings = (provider: string): readonly string[] =>
      load(
        configuration({
          directory: `directory:
  identityProviders: [{ ${saml} }]
  roles:
    - name: analyst
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Federated: "${provider}" }, Action: "sts:AssumeRoleWithSAML" }] }`,
        }),
        { files },
      ).warnings;
    const arn = 'arn:aws:iam::123456789012:saml-provider/';
    expect(warnings(`${arn}MySAMLIdP`)).toEqual([]);
    for (const wrong of [`${arn}Mysamlidp`, `${arn.replace('saml', 'oidc')}MySAMLIdP`]) {
      expect(warnings(wrong)).toEqual([
        expect.stringContaining(`no identity provider is configured as "${wrong}"`),
      ]);
    }
  });
});
