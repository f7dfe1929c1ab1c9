import type { Namespace } from './kubernetes.ts';

/** What became of the requests of a load. */
export interface Served {
  readonly served: number;
  /** One line for each request that failed. */
  readonly failed: readonly string[];
}

/**
 * Signed writes and reads of a pod, without retries, until they are stopped. Every second the credentials are new, so that none is
 * older than a change of the keys.
 */
export class Load {
  readonly #namespace: Namespace;
  readonly #pod: string;
  readonly #running: Promise<Served>;

  constructor(namespace: Namespace, pod: string) {
    this.#namespace = namespace;
    this.#pod = pod;
    this.#running = this.#run();
  }

  /** Ends the load and returns what it has seen. */
  async stop(): Promise<Served> {
    await this.#namespace.exec(this.#pod, 'touch', '/tmp/stop');
    return await this.#running;
  }

  async #run(): Promise<Served> {
    await this.#namespace.exec(this.#pod, 'rm', '-f', '/tmp/stop');
    const { code, stdout, stderr } = await this.#namespace.exec(
      this.#pod,
      ...['node', '--input-type=module', '-e', program],
    );
    if (code !== 0) throw new Error(`the load ended with ${code}: ${stderr.slice(-2000)}`);
    return JSON.parse(stdout) as Served;
  }
}

const program = `
import { existsSync } from 'node:fs';
import { S3Client, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
let served = 0;
const failed = [];
async function worker(number) {
  for (let round = 0; !existsSync('/tmp/stop'); round += 1) {
    const s3 = new S3Client({ region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 });
    const until = Date.now() + 1000;
    while (Date.now() < until && !existsSync('/tmp/stop')) {
      const Key = 'load-' + number + '-' + (round % 10);
      const Body = Key + ' ' + round;
      const began = new Date().toISOString();
      try {
        await s3.send(new PutObjectCommand({ Bucket: 'reports', Key, Body }));
        const answer = await s3.send(new GetObjectCommand({ Bucket: 'reports', Key }));
        if (await answer.Body.transformToString() !== Body) throw new Error('another body');
        served += 2;
      } catch (error) {
        failed.push(began + ' ' + new Date().toISOString() + ' ' + error.name + ' ' + (error.$metadata?.httpStatusCode ?? '') + ' ' + error.message);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    s3.destroy();
  }
}
await Promise.all([1, 2, 3].map(worker));
console.log(JSON.stringify({ served, failed: failed.slice(0, 20) }));
`;
