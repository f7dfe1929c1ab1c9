import { createHash } from 'node:crypto';
import { type AliasCase, deny, type Parties } from './aliases.ts';
import type { SignedCaller } from './signed-caller.ts';

const enabled = 'deletions-enabled';
const suspended = 'deletions-suspended';
const unversioned = 'deletions-unversioned';

/** Makes the buckets of the cases. */
export async function makeDeletionBuckets(owner: SignedCaller): Promise<void> {
  for (const bucket of [enabled, suspended]) {
    await owner.must({ method: 'PUT', path: `/${bucket}` });
    for (const status of bucket === suspended ? ['Enabled', 'Suspended'] : ['Enabled']) {
      const body = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${status}</Status></VersioningConfiguration>`;
      await owner.must({ method: 'PUT', path: `/${bucket}`, query: { versioning: '' }, body });
    }
  }
}

interface Deletion {
  readonly request: string;
  readonly bucket: string;
  readonly versionId?: string;
}

const deletions: readonly Deletion[] = [
  { request: '`key` for `key/`, with `versionId=null`', bucket: enabled, versionId: 'null' },
  { request: '`key` for `key/`, where versioning is suspended', bucket: suspended },
  { request: 'the same with `versionId=null`', bucket: suspended, versionId: 'null' },
];

async function deleteOne({ caller, key }: Parties, { bucket, versionId }: Deletion): Promise<void> {
  const query = versionId === undefined ? {} : { versionId };
  await caller.send({ method: 'DELETE', path: `/${bucket}/${key}`, query });
}

async function deleteEntry({ caller, key }: Parties, { bucket, versionId }: Deletion): Promise<void> {
  const version = versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`;
  const body = `<Delete><Object><Key>${key}</Key>${version}</Object></Delete>`;
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
  await caller.send({ method: 'POST', path: `/${bucket}`, query: { delete: '' }, body, headers });
}

const ways = [
  ['DeleteObject', deleteOne],
  ['DeleteObjects', deleteEntry],
] as const;

/** Deletions of a key that delete the folder of that name. */
export const deletionAliases: readonly AliasCase[] = ways.flatMap(([operation, send]) =>
  deletions.map((deletion): AliasCase => {
    const { request, bucket } = deletion;
    return {
      operation,
      request,
      denied: deny(`${bucket}/*/`),
      reaches: async (parties) => {
        const path = `/${bucket}/${parties.key}/`;
        await parties.owner.must({ method: 'PUT', path, body: '' });
        await send(parties, deletion);
        return (await parties.owner.send({ method: 'HEAD', path })).status === 404;
      },
    };
  }),
);

/** Ids that no version has, in the forms that stores use. */
const unknownIds = ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '0f7e2a2e-1111-4a4a-8b8b-0123456789ab', 'x'.repeat(32)];

/** What becomes of an object when a version that it does not have is deleted: rows of a table. */
export async function describeUnknownVersions(owner: SignedCaller): Promise<readonly string[]> {
  await owner.must({ method: 'PUT', path: `/${unversioned}` });
  const rows: string[] = [];
  for (const [operation, send] of ways) {
    for (const [title, bucket] of [
      ['without versioning', unversioned],
      ['with versioning', enabled],
    ] as const) {
      let outcome = 'remains';
      for (const versionId of unknownIds) {
        const path = `/${bucket}/live`;
        await owner.must({ method: 'PUT', path, body: 'live' });
        await send({ owner, caller: owner, key: 'live' }, { request: '', bucket, versionId });
        if ((await owner.send({ method: 'GET', path })).status !== 200) outcome = 'is deleted';
      }
      rows.push(`| ${operation} | ${title} | ${outcome} |`);
    }
  }
  return rows;
}
