/** The provider of the tests' roles: the cluster itself. */
const ISSUER = 'kubernetes.default.svc.cluster.local';

/** What a role of the tests may do with objects below its bucket. */
export type ObjectAction = 's3:GetObject' | 's3:PutObject' | 's3:DeleteObject';

/** Values for the chart: a role for the service accounts `app` and the chart's own test, on the bucket `reports`. */
export function chartValues(
  namespace: string,
  fullname: string,
  actions: readonly ObjectAction[],
): Record<string, unknown> {
  const subjects = ['app', `${fullname}-test`].map((name) => `system:serviceaccount:${namespace}:${name}`);
  return {
    fullnameOverride: fullname,
    tokens: { existingSecret: 'token-keys' },
    directory: {
      policies: {
        UseReports: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['s3:CreateBucket', 's3:ListBucket'],
              Resource: 'arn:aws:s3:::reports',
            },
            { Effect: 'Allow', Action: actions, Resource: 'arn:aws:s3:::reports/*' },
            { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::reports/private/*' },
          ],
        },
      },
      roles: [
        {
          name: 'reports',
          policies: ['UseReports'],
          trustPolicy: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${ISSUER}` },
                Action: 'sts:AssumeRoleWithWebIdentity',
                Condition: {
                  StringEquals: { [`${ISSUER}:aud`]: 'sts-sidecar', [`${ISSUER}:sub`]: subjects },
                },
              },
            ],
          },
        },
      ],
      identityProviders: [
        {
          kind: 'kubernetes',
          name: 'cluster',
          issuer: `https://${ISSUER}`,
          audiences: ['sts-sidecar'],
          apiServer: {},
        },
      ],
    },
    tests: {
      roleArn: 'arn:aws:iam::123456789012:role/reports',
      audience: 'sts-sidecar',
      bucket: 'reports',
      deniedKey: 'private/plan.txt',
      createBucket: true,
    },
  };
}

/** The Secret with the key of the user of {@link withUser}. */
export const userSecret = { name: 'tester', accessKeyId: 'AKIATESTSOFTHECHART1' } as const;

/** The same values with a user who may assume the role too, and whose key the chart's test uses. */
export function withUser(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const text = JSON.stringify(values);
  const changed = JSON.parse(text) as {
    directory: { roles: { trustPolicy: { Statement: unknown[] } }[]; users: unknown[] };
    tests: Record<string, unknown>;
  };
  const role = 'arn:aws:iam::123456789012:role/reports';
  changed.directory.roles[0]?.trustPolicy.Statement.push({
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::123456789012:user/tester' },
    Action: 'sts:AssumeRole',
  });
  changed.directory.users = [
    {
      name: 'tester',
      accessKeys: [{ accessKeyId: userSecret.accessKeyId, secretAccessKey: { env: 'TESTER_SECRET' } }],
      inlinePolicies: {
        CanAssume: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: role }],
        },
      },
    },
  ];
  changed.tests['audience'] = '';
  changed.tests['existingSecret'] = userSecret.name;
  const valueFrom = { secretKeyRef: { name: userSecret.name, key: 'secret-access-key' } };
  return { ...changed, extraEnv: [{ name: 'TESTER_SECRET', valueFrom }] };
}

/** Values of the store that the chart deploys in sidecar mode: versitygw on the pod's loopback. */
export const deployedStore: {
  readonly image: { readonly repository: string; readonly tag: string };
  readonly args: readonly string[];
  readonly env: readonly Readonly<Record<string, unknown>>[];
} = {
  image: { repository: 'versity/versitygw', tag: 'v1.8.0' },
  args: ['--port', '127.0.0.1:9001', 'posix', '/data'],
  env: [
    { name: 'ROOT_ACCESS_KEY', valueFrom: { secretKeyRef: { name: 'store-key', key: 'access-key-id' } } },
    { name: 'ROOT_SECRET_KEY', valueFrom: { secretKeyRef: { name: 'store-key', key: 'secret-access-key' } } },
  ],
};

/** A store that exists already: versitygw behind a Service named `store`. */
export const existingStore: string = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: store }
spec:
  selector: { matchLabels: { app: store } }
  template:
    metadata: { labels: { app: store } }
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        { runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: { type: RuntimeDefault } }
      containers:
        - name: store
          image: versity/versitygw:v1.8.0
          args: [--port, ":9000", --health, /health, posix, /data]
          env: ${JSON.stringify(deployedStore.env)}
          readinessProbe: { httpGet: { path: /health, port: 9000 }, periodSeconds: 1 }
          securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          volumeMounts: [{ name: data, mountPath: /data }]
      volumes: [{ name: data, emptyDir: {} }]
---
apiVersion: v1
kind: Service
metadata: { name: store }
spec: { selector: { app: store }, ports: [{ port: 9000 }] }
`;
