import type { Namespace } from './kubernetes.ts';
import type { Outcome } from './run.ts';

/** How an application's pod reaches the sidecar, and with which identity. */
export interface ApplicationSettings {
  readonly name: string;
  readonly endpoint: string;
  readonly role: string;
  readonly audience?: string;
}

/** A pod with unmodified SDKs that has a projected service account token and the four variables, and no key. */
export class Application {
  readonly #namespace: Namespace;
  readonly #name: string;

  private constructor(namespace: Namespace, name: string) {
    this.#namespace = namespace;
    this.#name = name;
  }

  static async start(namespace: Namespace, settings: ApplicationSettings): Promise<Application> {
    await namespace.apply(manifest(settings));
    await namespace.kubectl('wait', '--for=condition=Ready', `pod/${settings.name}`, '--timeout=60s');
    return new Application(namespace, settings.name);
  }

  /** Runs Python with boto3; `s3` is a client made without arguments. */
  async boto3(code: string): Promise<Outcome> {
    return await this.#namespace.exec(
      this.#name,
      'python3',
      '-c',
      `import boto3, io\ns3 = boto3.client('s3')\n${code}`,
    );
  }

  /** Runs JavaScript with the AWS SDK; `s3` is a client with only a region, and buckets in the path. */
  async javascript(code: string): Promise<Outcome> {
    const imports =
      "import { S3Client, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';\nconst s3 = new S3Client({ region: 'us-east-1', forcePathStyle: true });\n";
    return await this.#namespace.exec(this.#name, 'node', '--input-type=module', '-e', imports + code);
  }
}

function manifest({ name, endpoint, role, audience = 'sts-sidecar' }: ApplicationSettings): string {
  return `
apiVersion: v1
kind: ServiceAccount
metadata: { name: ${name} }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  serviceAccountName: ${name}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 0
  securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: RuntimeDefault } }
  containers:
    - name: application
      image: amazon/aws-cli:2.31.0
      command: [sleep, infinity]
      env:
        - { name: AWS_ROLE_ARN, value: "arn:aws:iam::123456789012:role/${role}" }
        - { name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/secrets/sts-sidecar/token }
        - { name: AWS_ENDPOINT_URL_STS, value: "${endpoint}" }
        - { name: AWS_ENDPOINT_URL_S3, value: "${endpoint}" }
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }
      volumeMounts: [{ name: identity, mountPath: /var/run/secrets/sts-sidecar, readOnly: true }]
  volumes:
    - name: identity
      projected: { sources: [{ serviceAccountToken: { path: token, audience: ${audience}, expirationSeconds: 3600 } }] }
`;
}
