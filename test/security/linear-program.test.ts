import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countSteps } from '../support/count-steps.ts';
import { openDirectory } from '../support/open-directory.ts';
import { samlDirectory, samlProviderArn } from '../support/saml-directory.ts';
import { createSamlIdp, toBase64, writeMetadata, writeResponse } from '../support/saml-idp.ts';
import { alice, roleArn, startSidecar, type TestSidecar } from '../support/sidecar.ts';
import { readAll } from '../support/signed-socket.ts';
import { signWithSmithy } from '../support/smithy-signer.ts';
import { summary, toBytes } from '../support/wire.ts';

let sidecar: TestSidecar;
beforeAll(async () => {
  sidecar = await startSidecar({ directory: openDirectory });
});
afterAll(() => sidecar.stop());

/** Waits as long as it takes: what a request costs is counted. */
function exchange(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.write(bytes, 'latin1');
  return readAll(socket);
}

/** Sends a document signed by alice. */
async function sendDocument(method: string, selector: string, body: string): Promise<string> {
  const digest = createHash('sha256').update(body).digest('hex');
  const { host } = new URL(sidecar.url);
  const headers = {
    host,
    'x-amz-content-sha256': digest,
    'content-length': String(body.length),
    connection: 'close',
  };
  const request = { method, path: '/data', query: { [selector]: '' }, headers };
  const wire = await signWithSmithy(request, alice, { nowMs: Date.now() });
  return summary(await exchange(sidecar.url, toBytes(wire, body)));
}

/** Steps of an exchange that do not depend on the document. */
const fixedSteps = 20_000;
const maxTags = 40_000;

describe('a document of', () => {
  const limit = 2 * 1024 * 1024;
  it.each(['<', '<!--', '<![CDATA[', '<?', '<a b="', '&', '<a>', '</a>', ']]>', '\r'])(
    '%j again and again costs no more than its length',
    async (piece) => {
      const document = (size: number): string => {
        const text = piece.repeat(Math.min(maxTags, Math.floor(size / 2 / piece.length)));
        return text + ' '.repeat(size - text.length);
      };
      for (const [method, selector] of [
        ['POST', 'delete'],
        ['PUT', 'replication'],
      ] as const) {
        const steps = async (size: number): Promise<number> =>
          countSteps(async () => {
            expect(await sendDocument(method, selector, document(size))).toContain('400 MalformedXML');
          });
        const few = await steps(limit / 16);
        const many = await steps(limit / 8);
        expect(many).toBeLessThan(2.25 * few + fixedSteps);
        // All of it is decoded and looked through once or twice, and no more.
        expect(await steps(limit)).toBeLessThan(8 * limit);
      }
    },
  );
});

describe('an assertion of a stranger', () => {
  it('costs the same with one certificate and with ten', async () => {
    const now = (): number => Date.now();
    const idps = Array.from({ length: 10 }, () => createSamlIdp({ roles: [], now }));
    const [idp] = idps;
    if (idp === undefined) throw new Error('no provider');
    const steps = async (certificates: number): Promise<number> => {
      const metadata = writeMetadata(
        idp.entityId,
        idps.slice(-certificates).map(({ certificate }) => certificate),
      );
      const files = { 'company.xml': metadata, 'other.xml': idp.metadata };
      const one = await startSidecar({ directory: samlDirectory(), files });
      const response = writeResponse(idp.sign(idp.assertion()), idp.entityId, now());
      const filled = response.replace(
        '<samlp:Status>',
        `${`<x>${'y'.repeat(100)}</x>`.repeat(350)}<samlp:Status>`,
      );
      const form = new URLSearchParams({
        Action: 'AssumeRoleWithSAML',
        Version: '2011-06-15',
        RoleArn: roleArn('analyst'),
        PrincipalArn: samlProviderArn('company'),
        SAMLAssertion: toBase64(filled),
      }).toString();
      const headers = [
        ['host', new URL(one.url).host],
        ['content-type', 'application/x-www-form-urlencoded'],
        ['content-length', String(form.length)],
        ['connection', 'close'],
      ] as const;
      const ask = async (): Promise<void> => {
        expect(
          summary(await exchange(one.url, toBytes({ method: 'POST', target: '/', headers }, form))),
        ).toContain('InvalidIdentityToken');
      };
      await ask();
      const counted = await countSteps(ask);
      await one.stop();
      return counted;
    };
    expect(await steps(9)).toBeLessThan(1.1 * (await steps(1)) + fixedSteps);
  });
});
