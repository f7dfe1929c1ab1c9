import { account, alice } from '../../support/sidecar.ts';

/** Alice may do everything; her roles may do everything, or everything but read below `secret/`. */
export const storeDirectory: string = `
directory:
  policies:
    Everything: &everything
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "*", Resource: "*" }]
    NoSecrets:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: "*", Resource: "*" }
        - { Effect: Deny, Action: "s3:*", Resource: "arn:aws:s3:::data/secret/*" }
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      policies: [Everything]
  roles:
    - name: admin
      policies: [Everything]
      trustPolicy: &trust
        Version: "2012-10-17"
        Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }]
    - name: data
      policies: [NoSecrets]
      trustPolicy: *trust
`;
