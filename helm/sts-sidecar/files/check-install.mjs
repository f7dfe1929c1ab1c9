// What `helm test` runs, with the sidecar's own image: takes temporary credentials as a client would, puts and gets an
// object, and expects two refusals. It needs Node only and signs its requests itself (Signature Version 4).
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const { ENDPOINT, REGION, ROLE_ARN, BUCKET, ALLOWED_KEY, DENIED_KEY, CREATE_BUCKET } = process.env;
const { WEB_IDENTITY_TOKEN_FILE, USER_ACCESS_KEY_ID, USER_SECRET_ACCESS_KEY } = process.env;

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, data) => createHmac('sha256', key).update(data).digest();

async function send(method, path, body = '', credentials, service = 's3') {
  const headers = { host: new URL(ENDPOINT).host, 'x-amz-content-sha256': sha256(body) };
  if (service === 'sts') headers['content-type'] = 'application/x-www-form-urlencoded';
  if (credentials !== undefined) sign(method, path, headers, credentials, service);
  const { host: _, ...sent } = headers;
  const response = await fetch(ENDPOINT + path, {
    method,
    headers: sent,
    ...(method === 'GET' ? {} : { body }),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text() };
}

function sign(method, path, headers, { accessKeyId, secretAccessKey, sessionToken }, service) {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  headers['x-amz-date'] = time;
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken;
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    path,
    '',
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = [time.slice(0, 8), REGION, service, 'aws4_request'];
  const key = scope.reduce(hmac, `AWS4${secretAccessKey}`);
  const toSign = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(canonical)].join('\n');
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${hmac(key, toSign).toString('hex')}`;
}

function askForCredentials() {
  const form = { Version: '2011-06-15', RoleArn: ROLE_ARN, RoleSessionName: 'helm-test' };
  return WEB_IDENTITY_TOKEN_FILE === undefined
    ? send(
        'POST',
        '/',
        `${new URLSearchParams({ ...form, Action: 'AssumeRole' })}`,
        { accessKeyId: USER_ACCESS_KEY_ID, secretAccessKey: USER_SECRET_ACCESS_KEY },
        'sts',
      )
    : send(
        'POST',
        '/',
        `${new URLSearchParams({
          ...form,
          Action: 'AssumeRoleWithWebIdentity',
          WebIdentityToken: readFileSync(WEB_IDENTITY_TOKEN_FILE, 'utf8'),
        })}`,
        undefined,
        'sts',
      );
}

// After an upgrade the pods that end are still asked until the Service's rules are written anew, and know other users
// and roles: three answers in a row are believed.
async function settledAnswer() {
  const deadline = Date.now() + 20_000;
  let answer = await askForCredentials();
  for (let inARow = answer.status === 200 ? 1 : 0; inARow < 3 && Date.now() < deadline; ) {
    await setTimeout(500);
    answer = await askForCredentials();
    inARow = answer.status === 200 ? inARow + 1 : 0;
  }
  return answer;
}

async function temporaryCredentials() {
  const answer = await settledAnswer();
  expect('temporary credentials', answer, 200);
  const field = (name) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer.text)?.[1];
  return {
    accessKeyId: field('AccessKeyId'),
    secretAccessKey: field('SecretAccessKey'),
    sessionToken: field('SessionToken'),
  };
}

// The answer's text may hold credentials, so only an error's code is shown.
function expect(what, { status, text }, wanted, code) {
  const got = /<Code>([A-Za-z]+)<\/Code>/.exec(text)?.[1];
  if (status !== wanted || (code !== undefined && got !== code)) {
    console.error(`FAILED: ${what}: status ${status} ${got ?? ''}, expected ${wanted} ${code ?? ''}`);
    process.exit(1);
  }
  console.log(`ok: ${what}: ${status}${got === undefined ? '' : ` ${got}`}`);
}

expect(
  'a request without a signature is refused',
  await send('GET', '/any-bucket/any-key'),
  403,
  'AccessDenied',
);
if (ROLE_ARN === '') {
  console.log('set tests.roleArn and tests.bucket to test temporary credentials');
  process.exit(0);
}
const session = await temporaryCredentials();
const object = `/${BUCKET}/${ALLOWED_KEY}`;
const content = randomBytes(24).toString('hex');
if (CREATE_BUCKET === 'true') {
  const { status, text } = await send('PUT', `/${BUCKET}`, '', session);
  if (status === 409) console.log(`ok: bucket ${BUCKET} exists`);
  else expect(`create bucket ${BUCKET}`, { status, text }, 200);
}
expect(`put ${object}`, await send('PUT', object, content, session), 200);
const got = await send('GET', object, '', session);
expect(`get ${object}`, got, 200);
if (got.text !== content) {
  console.error('FAILED: the object that came back is another one');
  process.exit(1);
}
expect(
  `get /${BUCKET}/${DENIED_KEY} is refused`,
  await send('GET', `/${BUCKET}/${DENIED_KEY}`, '', session),
  403,
  'AccessDenied',
);
expect(`delete ${object}`, await send('DELETE', object, '', session), 204);
