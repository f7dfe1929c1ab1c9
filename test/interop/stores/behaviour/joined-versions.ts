import { createHash } from 'node:crypto';
import { type AliasCase, aliasBuckets, deny, type Parties } from './aliases.ts';

const { plain, versioned } = aliasBuckets;
const own = 'mine';
const path = `/${versioned}/${own}`;

interface JoinedVersion {
  readonly secretPath: string;
  readonly id: string;
  readonly joined: string;
}

/** Makes a version of the key `<key>secret_mine`, and the id that asks for it as a version of the key `mine`. */
async function joinedVersion({ owner, key }: Parties): Promise<JoinedVersion> {
  const secretPath = `/${versioned}/${key}secret_${own}`;
  const { headers } = await owner.must({ method: 'PUT', path: secretPath, body: 'secret' });
  const id = String(headers['x-amz-version-id']);
  return { secretPath, id, joined: `${id}_${key}secret` };
}

async function setTag({ caller }: Parties, versionId: string): Promise<void> {
  const body = '<Tagging><TagSet><Tag><Key>joined</Key><Value>x</Value></Tag></TagSet></Tagging>';
  await caller.send({ method: 'PUT', path, query: { tagging: '', versionId }, body });
}

const request = 'a version id that ends in the beginning of the key';
const denied = deny(`${versioned}/*secret_${own}`);

/** Ceph RGW keeps a version as `_:<id>_<key>`: the beginning of the key may as well be the end of the id. */
export const joinedVersions: readonly AliasCase[] = [
  {
    operation: 'GetObject',
    request,
    denied,
    reaches: async (parties) => {
      const { joined: versionId } = await joinedVersion(parties);
      return (await parties.caller.send({ method: 'GET', path, query: { versionId } })).text === 'secret';
    },
  },
  {
    operation: 'CopyObject',
    request: 'the same for the source',
    denied,
    reaches: async (parties) => {
      const { owner, caller, key } = parties;
      const { joined } = await joinedVersion(parties);
      const headers = { 'x-amz-copy-source': `${path}?versionId=${joined}` };
      await caller.send({ method: 'PUT', path: `/${plain}/${key}copy`, headers });
      return (await owner.send({ method: 'GET', path: `/${plain}/${key}copy` })).text === 'secret';
    },
  },
  {
    operation: 'PutObjectTagging',
    request,
    denied,
    reaches: async (parties) => {
      const { secretPath, id, joined } = await joinedVersion(parties);
      await setTag(parties, joined);
      const query = { tagging: '', versionId: id };
      const { text } = await parties.owner.send({ method: 'GET', path: secretPath, query });
      return text.includes('<Key>joined<');
    },
  },
  {
    operation: 'DeleteObjects',
    request,
    denied,
    reaches: async (parties) => {
      const { secretPath, id, joined } = await joinedVersion(parties);
      // Ceph RGW deletes what its index has. Tags enter the version there.
      await setTag(parties, joined);
      const body = `<Delete><Object><Key>${own}</Key><VersionId>${joined}</VersionId></Object></Delete>`;
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      const deletion = { method: 'POST', path: `/${versioned}`, query: { delete: '' }, body, headers };
      await parties.caller.send(deletion);
      const read = { method: 'GET', path: secretPath, query: { versionId: id } };
      return (await parties.owner.send(read)).status !== 200;
    },
  },
];
