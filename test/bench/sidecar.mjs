import { createHash, randomBytes } from 'node:crypto';
import { fromBuild } from './build.mjs';

const { DemoClient, readCredentials } = await fromBuild('demo/demo-client.js');
const { signRequest } = await fromBuild('sigv4/sign.js');
const { SigningKeyCache } = await fromBuild('sigv4/signing-key.js');
const { Secret } = await fromBuild('core/secret.js');
const { systemClock } = await fromBuild('core/clock.js');

const user = { accessKeyId: 'AKIABENCHBENCHBENCH1', secretAccessKey: randomBytes(30).toString('base64') };
const tokenKey = randomBytes(32).toString('base64');
const roleArn = 'arn:aws:iam::123456789012:role/bench';
/** The identity provider of the federated role; only the STS benchmark starts it. */
export const issuer = 'http://127.0.0.1:9830';

/** A configuration with every check and the metrics on. JSON is YAML. */
export function configuration({ port, adminPort, storeUrl, logsRequests }) {
  const statement = (fields) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...fields }] });
  return JSON.stringify({
    apiVersion: 'sts-sidecar/v1',
    server: { listen: `127.0.0.1:${port}` },
    admin: { listen: `127.0.0.1:${adminPort}` },
    backend: {
      endpoint: storeUrl,
      credentials: { accessKeyId: 'STOREKEY', secretAccessKey: 'store-secret' },
    },
    account: { id: '123456789012' },
    tokens: { sealWith: 'bench', keys: [{ id: 'bench', secret: tokenKey }] },
    log: { level: logsRequests ? 'info' : 'warn', requests: logsRequests },
    directory: {
      policies: {
        Data: statement({ Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::data/*' }),
      },
      users: [
        {
          name: 'bench',
          accessKeys: [user],
          inlinePolicies: { Assume: statement({ Action: 'sts:AssumeRole', Resource: '*' }) },
        },
      ],
      roles: [
        {
          name: 'bench',
          policies: ['Data'],
          trustPolicy: statement({ Principal: { AWS: '123456789012' }, Action: 'sts:AssumeRole' }),
        },
        {
          name: 'federated',
          policies: ['Data'],
          trustPolicy: statement({
            Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${new URL(issuer).host}` },
            Action: 'sts:AssumeRoleWithWebIdentity',
          }),
        },
      ],
      identityProviders: [{ kind: 'oidc', name: 'bench', issuer, clientIds: ['bench'] }],
    },
  });
}

/** Has a running sidecar issue credentials for `count` sessions. */
export async function assumeRoles(url, count) {
  const secretAccessKey = new Secret(user.secretAccessKey);
  const client = new DemoClient(url, { accessKeyId: user.accessKeyId, secretAccessKey }, systemClock);
  const sessions = [];
  for (let index = 0; index < count; index += 1) {
    const answer = await client.sts({
      Action: 'AssumeRole',
      RoleArn: roleArn,
      RoleSessionName: `bench-${index}`,
    });
    sessions.push(readCredentials(answer));
  }
  return sessions;
}

/**
 * Signs requests for `keysPerSession` keys of each session, all distinct: `path` with a number at its end. The host
 * is no proxy's own, so that every target is sent the same bytes. Returns path and header fields of each.
 */
export function signRequests({ sessions, keysPerSession, method, path, body }) {
  const keys = new SigningKeyCache();
  const payloadHash = createHash('sha256').update(body).digest('hex');
  const scope = { region: 'us-east-1', service: 's3', nowMs: systemClock.now() };
  const signed = [];
  // Sessions take turns: neighbouring requests never share one.
  for (let key = 0; key < keysPerSession; key += 1) {
    for (const session of sessions) {
      const headers = [
        { name: 'host', value: 'bench.example' },
        { name: 'x-amz-security-token', value: session.sessionToken },
      ];
      const request = { method, path: `${path}-${key}`, parameters: [], headers, payloadHash };
      signed.push({ path: request.path, headers: signRequest(request, session, scope, keys) });
    }
  }
  return signed;
}

/** Signs `count` distinct requests for a session of the role, parameters in the query. */
export function signAssumeRole(count) {
  const keys = new SigningKeyCache();
  const payloadHash = createHash('sha256').update('').digest('hex');
  const scope = { region: 'us-east-1', service: 'sts', nowMs: systemClock.now() };
  const credentials = { accessKeyId: user.accessKeyId, secretAccessKey: new Secret(user.secretAccessKey) };
  return Array.from({ length: count }, (_, index) => {
    const parameters = Object.entries({
      Action: 'AssumeRole',
      RoleArn: roleArn,
      RoleSessionName: `bench-${index}`,
      Version: '2011-06-15',
    }).map(([name, value]) => ({ name, value }));
    const headers = [{ name: 'host', value: 'bench.example' }];
    const request = { method: 'GET', path: '/', parameters, headers, payloadHash };
    const query = parameters.map(({ name, value }) => `${name}=${encodeURIComponent(value)}`).join('&');
    return { path: `/?${query}`, headers: signRequest(request, credentials, scope, keys) };
  });
}
