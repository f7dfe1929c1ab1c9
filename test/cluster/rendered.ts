import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { policyVocabulary } from '../../src/app/policy-vocabulary.ts';
import { type LoadResult, parseConfiguration } from '../../src/config/load.ts';
import type { MemoryLimits } from '../../src/config/memory-estimate.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createAuthority } from '../support/authority.ts';
import { testCaPem } from '../support/identity-provider.ts';
import { createSamlIdp, type SamlIdp } from '../support/saml-idp.ts';
import { attempt, type Outcome } from './run.ts';

/** The SAML provider whose metadata the tests mount. */
export const idp: SamlIdp = createSamlIdp({ roles: [], now: () => systemClock.now() });

/** Values of the chart. */
export type Values = Readonly<Record<string, unknown>>;

/** Renders the values of a file of `ci/` with some replaced. */
export function template(name: string, values: Values = {}): Promise<Outcome> {
  const files = ['-f', `helm/sts-sidecar/ci/${name}-values.yaml`, '-f', '-'];
  const options = ['--kube-version=1.34.4', '--api-versions=monitoring.coreos.com/v1'];
  return attempt('helm', ['template', 'release', 'helm/sts-sidecar', ...files, ...options], {
    input: JSON.stringify(values),
  });
}

/** What the tests read of a rendered document. */
export interface Rendered {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly strategy?: object;
    readonly ports?: readonly object[];
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: Readonly<Record<string, unknown>> & { readonly volumes: readonly object[] };
    };
  };
}

/** {@link template}, read as Kubernetes reads it; fails when Helm does. */
export async function render(name: string, values: Values = {}): Promise<readonly Rendered[]> {
  const { code, stdout, stderr } = await template(name, values);
  expect(code, stderr).toBe(0);
  // As Kubernetes reads it: 0440 is octal.
  return parseAllDocuments(stdout, { version: '1.1' }).map((document) => document.toJS() as Rendered);
}

/** The files of the ConfigMap with the configuration. */
export function configurationOf(documents: readonly Rendered[]): Readonly<Record<string, string>> {
  const found = documents.find(
    ({ kind, data }) => kind === 'ConfigMap' && data?.['sidecar.yaml'] !== undefined,
  );
  if (found?.data === undefined) throw new Error('no configuration is rendered');
  return found.data;
}

/** The pod of the Deployment or StatefulSet. */
export function podOf(documents: readonly Rendered[]): NonNullable<Rendered['spec']>['template'] {
  const found = documents.find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  if (found?.spec === undefined) throw new Error('no workload is rendered');
  return found.spec.template;
}

const authority = createAuthority();
const issued = authority.issue({ names: ['s3.storage.svc'] });

const secrets: Readonly<Record<string, string>> = {
  '/var/run/sts-sidecar/tls/tls.crt': issued.certPem,
  '/var/run/sts-sidecar/tls/tls.key': issued.keyPem,
  '/var/run/sts-sidecar/tls/client-ca.crt': authority.certPem,
  '/var/run/sts-sidecar/state/redis-url': 'rediss://:a-password@redis.storage.svc:6379/2\n',
  '/var/run/sts-sidecar/control/token': 'a-token-of-the-control-listener\n',
  '/etc/ca/ca.pem': testCaPem,
};

const variables: Readonly<Record<string, string>> = {
  BACKEND_ACCESS_KEY_ID: 'STOREKEY',
  BACKEND_SECRET_ACCESS_KEY: 'a-secret-of-the-store',
  ALICE_SECRET: 'a-secret-of-alice',
  ALICE_TOTP: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
};

/** Loads a rendered configuration as the program does, with the files that the pod would have. */
export function load(text: string, memory?: MemoryLimits): LoadResult {
  return parseConfiguration(text, 'sidecar.yaml', {
    vocabulary: policyVocabulary,
    ...(memory === undefined ? {} : { memory }),
    environment: (name) => variables[name],
    readText: (path) => {
      if (path.startsWith('/var/run/sts-sidecar/tokens/'))
        return { ok: true, text: Buffer.alloc(32, path).toString('base64') };
      const found = path.endsWith('.xml') ? idp.metadata.replace('/metadata"', `/${path}"`) : secrets[path];
      return found === undefined ? { ok: false, reason: 'is not in the pod' } : { ok: true, text: found };
    },
  });
}

/** The settings that the program reads from the rendered configuration. */
export function settingsOf(documents: readonly Rendered[]): Extract<LoadResult, { ok: true }>['settings'] {
  const loaded = load(configurationOf(documents)['sidecar.yaml'] ?? '');
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'));
  return loaded.settings;
}
