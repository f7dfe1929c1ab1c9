import { test } from 'vitest';
import { inspect } from 'node:util';
import { configuration, load, problemsOf } from './samples.ts';
test('x', () => {
  process.stdout.write(inspect(load(configuration()), {depth: 6}) + '\n');
  const t = configuration({ server: 'server: { lisen: x, listen: "9000", tls: {}, limits: { maxConnections: 0, requestsPerSecondPerClient: 5 }, virtualHosts: ["a b"] }\nlog: { level: inof, level: debug }\nbackend: 5',
   tokens: 'tokens: { sealWith: k2, keys: [{id: k1, secret: abc}, {id: k1, secret: {env: NOPE}}] }',
   directory: `directory:
  root: {}
  policies:
    ReadData:
      Version: "2012-10-17"
      Statement:
        - Effect: Alow
          Action: "s3:GetObject"
          Resource: "*"
    readdata: {}
  users:
    - nam: bob
    - name: bob
      policies: [ReadDta]
      mfaDevices: []
    - name: Bob
      accessKeys: [ { accessKeyId: ASIA123, secretAccessKey: { env: ALICE_SECRET } } ]
      inlinePolicies: { X: { Statement: { Effect: Allow, Action: "s3:*", Resource: "*", Foo: 1 } } }
  roles: [ { name: r, maxSessionDurationSeconds: 60 } ]`});
  process.stdout.write(t + '\n\n' + problemsOf(t).join('\n') + '\n');
});
