import { afterAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { createSamlIdp } from '../support/saml-idp.ts';
import { execute, file, policyConfiguration, removeFiles } from './command.ts';

afterAll(removeFiles);

const account = '123456789012';
const idp = createSamlIdp({ roles: [], now: () => systemClock.now() });
file('company.xml', idp.metadata);
file(
  'sidecar.yaml',
  policyConfiguration
    .replace(
      '      Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "*" }',
      '      Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "*", Condition: { NumericLessThan: { "aws:MultiFactorAuthAge": "60" } } }',
    )
    .replace('policies: [ReadData], permissionsBoundary: OnlyReading', 'policies: [OnlyReading]')
    .replace(
      '    - name: ci\n',
      `    - name: analyst
      trustPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Principal: { Federated: "arn:aws:iam::${account}:saml-provider/saml" }, Action: "sts:AssumeRoleWithSAML", Condition: { StringEquals: { "saml:sub": ada } } } }
    - name: ci
`,
    )
    .concat(`    - { kind: saml, name: saml, metadataFile: company.xml }
    - { kind: oidc, name: corporate, issuer: "https://corp.example.com", clientIds: [one], claimName: policy }
`),
);

const usual = 'action: s3:GetObject, resource: "arn:aws:s3:::data/a"';
const cases = (...lines: readonly string[]): string =>
  file(
    'cases.yaml',
    `config: sidecar.yaml\ncases:\n${lines.map((line, index) => `  - { name: c${index}, ${line} }\n`).join('')}`,
  );

describe('policy test', () => {
  const bounded = `principal: "arn:aws:iam::${account}:user/bounded"`;
  const guest = `principal: "arn:aws:sts::${account}:federated-user/guest"`;
  const alice = `federatedBy: "arn:aws:iam::${account}:user/staff/alice"`;
  const policy =
    'sessionPolicy: { Version: "2012-10-17", Statement: { Effect: Allow, Action: "s3:GetObject", Resource: "*" } }';
  const claims = 'principal: "arn:minio:iam:::role/claims/corporate"';
  const saml = `samlProvider: saml, action: "sts:AssumeRoleWithSAML", resource: "arn:aws:iam::${account}:role/analyst"`;

  it('asks for every kind of caller', async () => {
    const path = cases(
      `${bounded}, ${usual}, expect: implicitDeny`,
      `${bounded}, sessionToken: true, ${usual}, expect: implicitDeny`,
      `${bounded}, sessionToken: true, mfaAgeSeconds: 60, ${usual}, expect: implicitDeny`,
      `${bounded}, sessionToken: true, mfaAgeSeconds: 59, ${usual}, expect: allow`,
      `${guest}, ${alice}, ${usual}, expect: implicitDeny`,
      `${guest}, ${alice}, ${policy}, ${usual}, expect: allow`,
      `${claims}, policyNames: [ReadData], ${usual}, expect: allow`,
      `${claims}, policyNames: [OnlyReading], ${usual}, expect: implicitDeny`,
      `${saml}, context: { "saml:sub": ada }, expect: allow`,
      `${saml}, context: { "saml:sub": bob }, expect: implicitDeny`,
    );
    expect(await execute('policy', 'test', path)).toEqual({
      code: 0,
      data: '10 passed, 0 failed',
      prose: '',
    });
  });

  it('reports every part that does not fit, at its place', async () => {
    const path = cases(
      `${bounded}, sessionToken: yes please, ${usual}, expect: allow`,
      `${bounded}, mfaAgeSeconds: 1, ${usual}, expect: allow`,
      `${bounded}, sessionToken: true, mfaAgeSeconds: 1.5, ${usual}, expect: allow`,
      `${guest}, ${usual}, expect: allow`,
      `${claims}, ${usual}, expect: allow`,
      `${claims}, policyNames: [Nothing], ${usual}, expect: allow`,
      `${bounded}, ${saml}, expect: allow`,
    );
    const { code, data, prose } = await execute('policy', 'test', path);
    expect([code, data]).toEqual([2, '']);
    const lines = prose.split('\n').map((line) => line.slice(line.indexOf('cases[')));
    expect(lines).toEqual([
      expect.stringContaining('cases[0].sessionToken: '),
      expect.stringContaining('cases[1].mfaAgeSeconds: needs the temporary credentials'),
      expect.stringContaining('cases[2].mfaAgeSeconds: must be whole seconds'),
      expect.stringContaining('cases[3].federatedBy: is required'),
      expect.stringContaining('cases[4].policyNames: is required'),
      expect.stringContaining('cases[5].policyNames: no policy is named "Nothing"'),
      expect.stringContaining('cases[6].samlProvider: cannot be combined with a principal'),
    ]);
  });
});
