import { expect, expectTypeOf, it } from 'vitest';
import type { Anonymous } from '../../src/authenticate/anonymous.ts';
import type { Authenticated } from '../../src/authenticate/authenticate.ts';
import { authenticateS3 } from '../../src/authenticate/authenticate.ts';
import { type Authorized, authorizeS3, type Denied } from '../../src/authorize/authorize-s3.ts';
import type { Forwarder } from '../../src/forward/forward.ts';

type ForwardParameters = Parameters<Forwarder['forward']>;
type AuthorizeParameters = Parameters<typeof authorizeS3>;

// The type checker is the test: each line must fail to compile, or `@ts-expect-error` itself is an error.
async function doesNotCompile(
  forwarder: Forwarder,
  exchange: ForwardParameters[1],
  authenticateParameters: Parameters<typeof authenticateS3>,
  [request, authenticated, sources]: AuthorizeParameters,
): Promise<void> {
  const decided = await authorizeS3(request, authenticated, sources);
  // @ts-expect-error a decision that may be a denial cannot be forwarded
  await forwarder.forward(decided, exchange);
  // @ts-expect-error a request that was only authenticated cannot be forwarded
  await forwarder.forward(authenticated, exchange);
  // @ts-expect-error a request that was only classified cannot be forwarded
  await forwarder.forward(request, exchange);
  // @ts-expect-error an object that looks like an authorization is not one
  await forwarder.forward({ ...decided, isAllowed: true, request, deniedItems: [] }, exchange);
  // @ts-expect-error the await is missing
  await authorizeS3(request, authenticateS3(...authenticateParameters), sources);
  // @ts-expect-error a raw request is not an authenticated one
  await authorizeS3(request, request.raw, sources);
  // @ts-expect-error an object that looks like an authentication is not one
  await authorizeS3(request, { ...authenticated, raw: request.raw }, sources);
  // @ts-expect-error a decision that is not awaited cannot be forwarded
  await forwarder.forward(authorizeS3(request, authenticated, sources), exchange);
  // @ts-expect-error an object that looks like a warrant is not one
  await sources.lookup.tags({ subject: { kind: 'bucket-tags', bucket: 'data' } });
  // @ts-expect-error the place of the credentials has to be established first
  await authenticateS3(request.raw, true, authenticateParameters[2]);
}

it('forwards only what was authorized, and authorizes only what was authenticated', () => {
  expect(doesNotCompile).toBeTypeOf('function');
  expectTypeOf<ForwardParameters[0]>().toEqualTypeOf<Authorized>();
  expectTypeOf<Denied>().not.toExtend<Authorized>();
  expectTypeOf<Authenticated>().not.toExtend<Authorized>();
  expectTypeOf<AuthorizeParameters[1]>().toEqualTypeOf<Authenticated | Anonymous>();
  expectTypeOf<Anonymous>().not.toExtend<Authorized>();
});
