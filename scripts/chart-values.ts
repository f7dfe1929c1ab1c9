/*
 * The values of the Helm chart. Those that are settings of the configuration file have the form that they have there; the
 * others are written here. `values.schema.json` is made from this.
 */

import { z } from 'zod';
import { configurationFile } from '../src/config/configuration-file.ts';
import { directory as directorySection } from '../src/config/directory-sections.ts';
import { injectorFile } from '../src/config/injector-file.ts';
import { sections } from '../src/config/sections.ts';
import { dashboards, operationsValues, prometheusRule } from './chart-operations-values.ts';

const { server, backend, account, state, outbound, revocations, log } = sections;
const { limits, virtualHosts, trustedProxies } = server.unwrap().shape;

const directory = directorySection.meta({ id: 'directory' });

const text = z.string();
const someText = text.min(1);
const list = z.array(z.looseObject({}));
const anything = z.looseObject({});
const labels = z.record(z.string(), z.string());
const digest = text.regex(/^(sha256:[0-9a-f]{64})?$/);
const pullPolicy = z.enum(['Always', 'IfNotPresent', 'Never']);
/** A key of a Secret. */
const secretKey = text.regex(/^[-._a-zA-Z0-9]+$/);
const port = z.int().min(1024).max(65_535);
/** A key of a ConfigMap; sidecar.yaml is the configuration itself. */
const metadataFile = text
  .regex(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]{0,252}$/)
  .meta({ id: 'metadataFileName', not: { const: 'sidecar.yaml' } });

const monitor = z
  .strictObject({ enabled: z.boolean(), interval: text, labels, tlsConfig: anything })
  .partial();

/** The file, whose sections may leave out what the chart's other values say. */
const config = configurationFile
  .extend({ backend: backend.partial(), account: account.partial(), directory })
  .partial()
  .describe('The configuration file, or parts of it.');

/** The values, each by itself; {@link conditions} has what they demand of each other. */
export const chartValues = z
  .strictObject({
    mode: z.enum(['gateway', 'sidecar']),
    config,
    nameOverride: text,
    fullnameOverride: text,
    image: z.strictObject({ repository: someText, tag: text, digest, pullPolicy }).partial(),
    imagePullSecrets: list,
    replicaCount: z.int().min(0),
    backend: z
      .strictObject({
        endpoint: text.regex(/^(https?:\/\/.+)?$/),
        ...backend.pick({ profile: true, region: true, supports: true, timeouts: true }).shape,
        trailers: z.enum(['', 'reframe', 'decode']),
        existingSecret: text,
        accessKeyIdKey: secretKey,
        secretAccessKeyKey: secretKey,
      })
      .partial(),
    tokens: z
      .strictObject({
        existingSecret: text,
        keys: z.array(secretKey).min(1).meta({ uniqueItems: true }),
        sealWith: secretKey,
      })
      .partial(),
    account,
    directory,
    samlMetadata: z.record(metadataFile, someText),
    existingSamlMetadata: z.array(
      z.union([
        z.strictObject({ configMap: someText, keys: z.array(metadataFile).min(1) }),
        z.strictObject({ secret: someText, keys: z.array(metadataFile).min(1) }),
      ]),
    ),
    state: z
      .strictObject({
        redis: z
          .strictObject({ existingSecret: text, urlKey: secretKey, caFile: text.regex(/^(\/.+)?$/) })
          .partial(),
        maxStalenessSeconds: state.unwrap().shape.maxStalenessSeconds,
      })
      .partial(),
    control: z.strictObject({ enabled: z.boolean(), existingSecret: text, tokenKey: secretKey }).partial(),
    containerCredentials: z
      .strictObject({ enabled: z.boolean(), scopeDownPolicy: z.looseObject({}) })
      .partial(),
    tls: z
      .strictObject({
        existingSecret: text,
        certKey: secretKey,
        keyKey: secretKey,
        clientCaKey: text.regex(/^[-._a-zA-Z0-9]*$/),
      })
      .partial(),
    revocations,
    outbound,
    log,
    limits,
    virtualHosts,
    trustedProxies,
    ports: z.strictObject({ s3: port, admin: port }).partial(),
    service: z
      .strictObject({
        type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']),
        port: z.int().min(1).max(65_535),
        annotations: labels,
      })
      .partial(),
    serviceAccount: z
      .strictObject({ create: z.boolean(), name: text, annotations: labels, tokenReview: z.boolean() })
      .partial(),
    store: z
      .strictObject({
        image: z.strictObject({ repository: text, tag: text, digest, pullPolicy }).partial(),
        command: z.array(text),
        args: z.array(text),
        port,
        env: list,
        mountPath: text.regex(/^\//),
        persistence: z
          .strictObject({ enabled: z.boolean(), size: text, storageClassName: text, existingClaim: text })
          .partial(),
        resources: anything,
      })
      .partial(),
    injector: z
      .strictObject({
        enabled: z.boolean(),
        replicaCount: z.int().min(1),
        failurePolicy: z.enum(['Ignore', 'Fail']),
        // Of a webhook (admissionregistration.k8s.io/v1).
        timeoutSeconds: z.int().min(1).max(30),
        ...injectorFile.pick({
          route: true,
          containerEndpoint: true,
          audience: true,
          tokenSeconds: true,
          eksAnnotation: true,
        }).shape,
        endpoint: text.regex(/^(https?:\/\/.+)?$/),
        namespaceSelector: z.strictObject({ matchLabels: labels, matchExpressions: list }).partial(),
        resources: anything,
      })
      .partial(),
    resources: z
      .looseObject({
        requests: anything,
        limits: z
          .looseObject({
            memory: z.union([z.int().min(1), text.regex(/^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$/)]),
          })
          .partial(),
      })
      .partial(),
    podSecurityContext: anything,
    securityContext: anything,
    terminationGracePeriodSeconds: z.int().min(6),
    podAnnotations: labels,
    podLabels: labels,
    nodeSelector: labels,
    tolerations: list,
    affinity: anything,
    extraEnv: list,
    extraVolumes: list,
    extraVolumeMounts: list,
    extraArgs: z.array(text),
    ...operationsValues,
    metrics: z
      .strictObject({ serviceMonitor: monitor, podMonitor: monitor, prometheusRule, dashboards })
      .partial(),
    tests: z
      .strictObject({
        roleArn: text,
        audience: text,
        existingSecret: text,
        accessKeyIdKey: secretKey,
        secretAccessKeyKey: secretKey,
        caKey: text.regex(/^[-._a-zA-Z0-9]*$/),
        bucket: text,
        allowedKey: someText,
        deniedKey: someText,
        createBucket: z.boolean(),
      })
      .partial(),
  })
  .partial()
  .required({ mode: true });

/** A JSON Schema of one value; `true` takes anything, and `false` nothing. */
type Form = object | boolean;

const given: Form = { minLength: 1 };
const filled: Form = { minItems: 1 };
const absent: Form = { maxLength: 0 };

/** The JSON Schema of values with that form at a path. Where nothing is there it takes them, unless it is required. */
function at(path: string, form: Form, isRequired = false): Form {
  return path
    .split('.')
    .reduceRight(
      (inner, name) => ({ properties: { [name]: inner }, ...(isRequired ? { required: [name] } : {}) }),
      form,
    );
}

function implies(condition: Form, consequence: Form): Form {
  return { anyOf: [{ not: condition }, consequence] };
}

/** What values demand of each other. */
export const conditions: readonly Form[] = [
  { anyOf: [at('backend.existingSecret', given, true), at('config.backend.credentials', true, true)] },
  { anyOf: [at('tokens.existingSecret', given, true), at('config.tokens', true, true)] },
  implies(at('mode', { const: 'gateway' }), {
    anyOf: [at('backend.endpoint', given, true), at('config.backend.endpoint', given, true)],
  }),
  implies(at('mode', { const: 'sidecar' }), {
    allOf: [
      at('backend.endpoint', absent),
      at('config.backend.endpoint', false),
      at('replicaCount', { const: 1 }),
      at('store.image.repository', given),
      { anyOf: [at('store.image.tag', given, true), at('store.image.digest', given, true)] },
      at('autoscaling.enabled', { const: false }),
    ],
  }),
  implies(at('ingress.enabled', { const: true }, true), at('ingress.hosts', filled, true)),
  implies(at('httpRoute.enabled', { const: true }, true), {
    allOf: [at('httpRoute.parentRefs', filled, true), at('httpRoute.hostnames', filled, true)],
  }),
  implies(at('certificate.enabled', { const: true }, true), at('certificate.issuerRef.name', given, true)),
  implies(at('tests.roleArn', given, true), at('tests.bucket', given, true)),
  implies(at('tests.roleArn', given, true), {
    anyOf: [at('tests.audience', given, true), at('tests.existingSecret', given, true)],
  }),
  // On the loopback of a gateway's pod there is no application.
  implies(at('containerCredentials.enabled', { const: true }, true), at('mode', { const: 'sidecar' })),
  implies(at('control.enabled', { const: true }, true), at('control.existingSecret', given, true)),
  implies(at('tls.clientCaKey', given, true), at('tls.existingSecret', given, true)),
  implies(at('tests.caKey', given, true), at('tls.existingSecret', given, true)),
  implies(at('state.redis.caFile', given, true), at('state.redis.existingSecret', given, true)),
];
