// npm run bench:micro [-- milliseconds [name]]: the pieces of one request, or those whose name holds a word, each as a
// multiple of a calibration HMAC on the same core.
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { fromBuild } from './build.mjs';
import { cores, describeMachine, pinSelf } from './machine.mjs';
import { writeAuditRecord } from './micro-audit.mjs';
import { decisionPieces } from './micro-decisions.mjs';

const { HeaderList } = await fromBuild('core/header-list.js');
const { Secret } = await fromBuild('core/secret.js');
const { crc32c, crc64nvme } = await fromBuild('core/crc.js');
const { readHeaderSignature } = await fromBuild('sigv4/header-signature.js');
const { ChunkDecoder } = await fromBuild('sigv4/chunk-decoder.js');
const { ChunkSignatures } = await fromBuild('sigv4/chunk-signatures.js');
const { signRequest } = await fromBuild('sigv4/sign.js');
const { SigningKeyCache } = await fromBuild('sigv4/signing-key.js');
const { verifySignature } = await fromBuild('sigv4/verify.js');
const { createKeyRing } = await fromBuild('tokens/key-ring.js');
const { SessionOpener } = await fromBuild('tokens/open.js');
const { sealSession } = await fromBuild('tokens/seal.js');

const milliseconds = Number(process.argv[2] ?? 1000);
const wanted = process.argv[3] ?? '';
const nowMs = Date.UTC(2026, 0, 1);
const keys = new SigningKeyCache();
const credentials = { accessKeyId: 'ASIABENCHBENCHBENCH1', secretAccessKey: new Secret('bench-secret') };

/** How long one call takes, in nanoseconds of CPU; `call` may be async. */
async function nanoseconds(call) {
  const batch = 500;
  let calls = 0;
  let started = 0;
  for (const budget of [milliseconds / 2, milliseconds]) {
    calls = 0;
    started = process.cpuUsage();
    const end = performance.now() + budget;
    while (performance.now() < end) {
      for (let index = 0; index < batch; index += 1) {
        const pending = call(calls + index);
        if (pending instanceof Promise) await pending;
      }
      calls += batch;
    }
  }
  const { user, system } = process.cpuUsage(started);
  return ((user + system) * 1000) / calls;
}

function signed(key) {
  const path = `/data/key-${key}`;
  const headers = [{ name: 'host', value: 'bench.example' }];
  const request = { method: 'GET', path, parameters: [], headers, payloadHash: emptyHash };
  const scope = { region: 'us-east-1', service: 's3', nowMs };
  return { request, headers: signRequest(request, credentials, scope, keys) };
}

const emptyHash = createHash('sha256').digest('hex');
const arrived = Array.from({ length: 1000 }, (_, key) => {
  const { request, headers } = signed(key);
  return { ...request, query: '', headers: new HeaderList(headers), receivedAtMs: nowMs };
});
const rules = { service: 's3', payloadHash: 'required', allowsStreaming: false };

function verify(index) {
  const claim = readHeaderSignature(arrived[index % arrived.length], rules);
  verifySignature(claim, credentials.secretAccessKey, claim.payloadHash, keys);
}

const ring = createKeyRing(
  [{ id: 'bench', secret: new Secret(randomBytes(32).toString('base64')) }],
  'bench',
);
const token = sealSession(
  {
    sessionId: 'bench',
    accessKeyId: credentials.accessKeyId,
    seed: randomBytes(32),
    principal: {
      kind: 'role-session',
      roleArn: 'arn:aws:iam::123456789012:role/bench',
      roleId: 'AROABENCHBENCHBENCH1',
      sessionName: 'bench',
    },
    issuedAt: nowMs / 1000,
    expiresAt: nowMs / 1000 + 3600,
    policyArns: [],
    tags: [],
  },
  ring,
);
const opener = new SessionOpener(ring);
if ((await opener.open(token)) === undefined) throw new Error('the token does not open');

const calibrationKey = randomBytes(32);
const calibrationData = Buffer.alloc(64);
const block = randomBytes(65_536);

const scope = { date: '20260101', region: 'us-east-1', service: 's3' };
const chunkSeed = {
  key: keys.find(credentials.secretAccessKey, scope).key,
  timestamp: '20260101T000000Z',
  scope,
  signature: '0'.repeat(64),
};
const chunkWire = signedChunk();

/** One chunk as a client sends it. */
function signedChunk() {
  const { key, timestamp, signature } = chunkSeed;
  const digests = `${emptyHash}\n${createHash('sha256').update(block).digest('hex')}`;
  const prefix = `AWS4-HMAC-SHA256-PAYLOAD\n${timestamp}\n20260101/us-east-1/s3/aws4_request`;
  const head = `10000;chunk-signature=${key.sign(`${prefix}\n${signature}\n${digests}`)}\r\n`;
  return Buffer.concat([Buffer.from(head), block, Buffer.from('\r\n')]);
}

/** Decodes it and verifies its signature; at most 1.3 times what its hash alone takes. */
function verifyChunk() {
  new ChunkDecoder(block.length, new ChunkSignatures(chunkSeed)).push(chunkWire);
}

/** Every measured piece: name → call, and the budget of the design in calibration HMACs where there is one. */
const pieces = [
  ['verify, signing key cached', verify, 8],
  ['re-sign', signed, 3],
  ['open a token, first time', () => new SessionOpener(ring).open(token)],
  ['open a token, cached', () => opener.open(token)],
  ...decisionPieces,
  ['audit record', writeAuditRecord],
  ['sha256 of 64 KiB', () => createHash('sha256').update(block).digest()],
  ['signed chunk of 64 KiB', verifyChunk],
  ['crc32 of 64 KiB', () => crc32(block)],
  ['crc32c of 64 KiB', () => crc32c(block)],
  ['crc64nvme of 64 KiB', () => crc64nvme(block)],
];

/** Two decimals; nothing for a piece without budget. */
function round(value = Number.NaN) {
  return Number.isNaN(value) ? '' : value.toFixed(2);
}

pinSelf(cores.proxy);
const { cpu, node } = describeMachine();
const hmac = await nanoseconds(() => createHmac('sha256', calibrationKey).update(calibrationData).digest());
process.stdout.write(`${cpu}, Node ${node}; one calibration HMAC takes ${(hmac / 1000).toFixed(2)} µs\n\n`);
process.stdout.write(
  '| Piece | µs | HMACs per call | budget | calls per HMAC | at least |\n|---|--:|--:|--:|--:|--:|\n',
);
for (const [name, call, budget] of pieces) {
  if (!name.includes(wanted)) continue;
  const each = await nanoseconds(call);
  const cells = [
    name,
    (each / 1000).toFixed(2),
    round(each / hmac),
    round(budget),
    round(hmac / each),
    round(1 / budget),
  ];
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
