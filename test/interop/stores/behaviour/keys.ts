import { createHash } from 'node:crypto';
import type { SignedCaller } from './signed-caller.ts';

const bucket = 'odd-keys';

/** Keys that a store might confuse, each with the key that it might be taken for. */
const oddKeys: readonly (readonly [key: string, other: string])[] = [
  ['double//slash', 'double/slash'],
  ['/first', 'first'],
  ['./dot', 'dot'],
  ['one/./dot', 'one/dot'],
  ['up/../over', 'over'],
  ['back\\slash', 'back/slash'],
  ['folder/', 'folder'],
  ['folder__XLDIR__', 'folder/'],
  ['case', 'CASE'],
];

const pathOf = (key: string): string => `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

/** What the store makes of each odd key: rows of a table. */
export async function describeKeys(caller: SignedCaller): Promise<readonly string[]> {
  await caller.must({ method: 'PUT', path: `/${bucket}` });
  const rows: string[] = [];
  for (const [key, other] of oddKeys) rows.push(`| \`${key}\` | ${await meaningOf(caller, key, other)} |`);
  return rows;
}

async function meaningOf(caller: SignedCaller, key: string, other: string): Promise<string> {
  // A folder has no content on stores that keep files.
  const body = key.endsWith('/') ? '' : `content of ${key}`;
  await caller.send({ method: 'DELETE', path: pathOf(other) });
  const written = await caller.send({ method: 'PUT', path: pathOf(key), body });
  if (written.status !== 200) return `refused: ${written.status} ${codeOf(written.text)}`;
  const isOther = (await caller.send({ method: 'HEAD', path: pathOf(other) })).status === 200;
  await caller.send({ method: 'DELETE', path: pathOf(key) });
  return isOther ? `another name of \`${other}\`` : 'a key of its own';
}

const codeOf = (text: string): string => /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '';

/** A key under which a store shows its internal data, and how to make that data. */
export interface OwnName {
  readonly title: string;
  /** Makes what can be read, and returns the path of the request that reads it. */
  readonly path: (caller: SignedCaller, bucket: string) => Promise<string>;
}

/** Ways to what stores keep for themselves. */
export const ownNames: readonly OwnName[] = [
  {
    title: 'the part of an upload, below `.sgwtmp/`',
    path: async (caller, name) => {
      const path = `/${name}/secret/upload`;
      const started = await caller.must({ method: 'POST', path, query: { uploads: '' } });
      const uploadId = /<UploadId>([^<]+)</.exec(started.text)?.[1] ?? '';
      await caller.must({ method: 'PUT', path, query: { partNumber: '1', uploadId }, body: 'part' });
      const folder = createHash('sha256').update('secret/upload').digest('hex');
      return `/${name}/.sgwtmp/multipart/${folder}/${uploadId}/1`;
    },
  },
  {
    title: 'the object `secret/`, as `secret__XLDIR__`',
    path: async (caller, name) => {
      await caller.must({ method: 'PUT', path: `/${name}/secret/` });
      return `/${name}/secret__XLDIR__`;
    },
  },
  {
    title: 'the bucket `.minio.sys`',
    path: () => Promise.resolve('/.minio.sys/config/config.json'),
  },
];
