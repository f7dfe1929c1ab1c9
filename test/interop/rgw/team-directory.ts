import { account, alice, bob, roleArn } from '../../support/sidecar.ts';

/** Two roles on buckets named `team-…`: one may write and may assume the other, which may only read. */
export const teamDirectory: string = `
directory:
  policies:
    Team:
      Version: "2012-10-17"
      Statement:
        - { Effect: Allow, Action: ["s3:CreateBucket", "s3:ListBucket", "s3:DeleteBucket", "s3:GetBucketLocation"], Resource: "arn:aws:s3:::team-*" }
        - { Effect: Allow, Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], Resource: "arn:aws:s3:::team-*/*" }
        - { Effect: Allow, Action: "sts:AssumeRole", Resource: "${roleArn('chained')}" }
    Reader:
      Version: "2012-10-17"
      Statement: [{ Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::team-*/*" }]
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies:
        Assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] }
    - name: bob
      accessKeys: [{ accessKeyId: ${bob.accessKeyId}, secretAccessKey: { env: BOB } }]
  roles:
    - name: team
      policies: [Team]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${account}" }, Action: "sts:AssumeRole" }] }
    - name: chained
      policies: [Reader]
      trustPolicy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "${roleArn('team')}" }, Action: "sts:AssumeRole" }] }
`;
