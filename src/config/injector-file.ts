/* The configuration file of `sts-sidecar injector`. A setting is written once, here: its form, default and meaning. */

import { dirname, isAbsolute } from 'node:path';
import { z } from 'zod';
import { isLoopbackHost } from '../core/loopback.ts';
import type { InjectorSettings } from '../injector/settings.ts';
import {
  fileName,
  listenAddress,
  maxConfigurationBytes,
  regionName,
  storeEndpoint,
  wholeNumber,
} from '../schema/scalars.ts';
import { ProblemLog } from './problem-log.ts';
import { readKeyPair } from './read-key-pair.ts';
import { Reading } from './reading.ts';
import { processSources, readBoundedText } from './sources.ts';
import { parseYaml } from './yaml-document.ts';

const absolutePath = z.string().refine(isAbsolute, { error: 'must be an absolute path' });
const inPod = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The whole file. */
export const injectorFile = z.strictObject({
  apiVersion: z.enum(['sts-sidecar/v1']).describe('The version of this format.'),
  listen: listenAddress.prefault('0.0.0.0:8443').describe('Address of the webhook, HTTPS.'),
  tls: z
    .strictObject({
      certFile: fileName.describe('The certificate, PEM, that the webhook configuration trusts.'),
      keyFile: fileName.describe('Its key, PEM.'),
    })
    .describe('Read at start-up.'),
  route: z
    .enum(['web-identity', 'container'])
    .default('web-identity')
    .describe('How SDKs get credentials: from STS, or from the container credentials endpoint in the pod.'),
  endpoint: storeEndpoint.describe('The URL of S3, and of STS for `web-identity`.'),
  containerEndpoint: storeEndpoint
    .refine(
      (url) => ['169.254.170.2'].includes(new URL(url).hostname) || isLoopbackHost(new URL(url).hostname),
      {
        error: 'must have a loopback address or 169.254.170.2: SDKs accept no other over http',
      },
    )
    .prefault('http://127.0.0.1:9092')
    .describe('The container credentials endpoint, for `container`.'),
  region: regionName.default('us-east-1').describe('The region that programs get.'),
  audience: z
    .string()
    .min(1, { error: 'must not be empty' })
    .default('sts-sidecar')
    .describe('The audience of the projected token, one of the identity provider.'),
  tokenSeconds: wholeNumber(600, 86_400).default(3600).describe('How long a projected token is valid.'),
  eksAnnotation: z
    .boolean()
    .default(false)
    .describe('Whether `eks.amazonaws.com/role-arn` counts where `sts-sidecar/role-arn` is absent.'),
  roles: z
    .array(z.string())
    .optional()
    .describe('The ARNs that pods may name; a pod with another is refused. Without it, any.'),
  apiServer: z
    .strictObject({
      url: storeEndpoint.prefault('https://kubernetes.default.svc').describe('Scheme, host and port.'),
      caFile: absolutePath.default(`${inPod}/ca.crt`).describe("The authority's certificate, PEM."),
      tokenFile: absolutePath.default(`${inPod}/token`).describe("The injector's own service account token."),
    })
    .prefault({})
    .describe('Where service accounts are read.'),
});

/** Settings, or everything that is wrong with them. */
export type InjectorLoadResult =
  | { readonly ok: true; readonly settings: InjectorSettings }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Loads the file, with the files it names relative to its folder. */
export function loadInjector(path: string): InjectorLoadResult {
  const file = readBoundedText(path, maxConfigurationBytes);
  if (!file.ok) return { ok: false, problems: [`${path} ${file.reason}`] };
  const problems = new ProblemLog();
  const context = { problems, warnings: new ProblemLog(), sources: processSources(dirname(path), {}) };
  const { document, faults } = parseYaml(file.text);
  for (const { position, message } of faults) problems.add({ source: path, position, path: '' }, message);
  if (document === undefined) return { ok: false, problems: problems.list() };
  const reading = new Reading(
    { name: path, document, value: document.value, mount: [], origins: new Map() },
    context,
  );
  const settings = readSettings(reading);
  return settings === undefined || !problems.isEmpty
    ? { ok: false, problems: problems.list() }
    : { ok: true, settings };
}

function readSettings(reading: Reading): InjectorSettings | undefined {
  const shape = reading.read([], injectorFile);
  if (shape === undefined) return undefined;
  const { tls, roles, apiVersion: _, ...others } = shape;
  const pair = readKeyPair(reading, ['tls'], tls);
  if (pair === undefined) return undefined;
  return { ...others, roles, tls: { certPem: pair.certPem, keyPem: pair.keyPem.reveal() } };
}
