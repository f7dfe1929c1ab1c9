import { alice } from './sidecar.ts';

/** A directory in which alice may do everything with her long-term key: for tests of the transport alone. */
export const openDirectory: string = `
directory:
  users:
    - name: alice
      accessKeys: [{ accessKeyId: ${alice.accessKeyId}, secretAccessKey: { env: ALICE } }]
      inlinePolicies: { All: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "s3:*", Resource: "*" }] } }
`;
