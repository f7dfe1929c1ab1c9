import { createHash } from 'node:crypto';
import type { Answered, Call, SignedCaller } from './signed-caller.ts';

/** A statement of a policy. */
export interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string | readonly string[];
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** A request that some store applies to an object other than the one it names. */
export interface AliasCase {
  readonly operation: string;
  readonly request: string;
  /** What the caller may not do: with it, the other object cannot be reached under its own name. */
  readonly denied: Statement;
  /** Makes what is needed as the owner, sends the request as the caller, and tells whether it reached the other object. */
  readonly reaches: (parties: Parties) => Promise<boolean>;
}

/** Who takes part in a case, and the beginning of every key that it may use. */
export interface Parties {
  readonly owner: SignedCaller;
  readonly caller: SignedCaller;
  readonly key: string;
}

/** The buckets of the cases. */
export const aliasBuckets = { plain: 'aliases', locked: 'aliases-locked', versioned: 'aliases-versioned' };

const { plain, locked, versioned } = aliasBuckets;

/** A Deny of actions on a resource. */
export const deny = (Resource: string, Action: Statement['Action'] = 's3:*'): Statement => ({
  Effect: 'Deny',
  Action,
  Resource: `arn:aws:s3:::${Resource}`,
});
const tagging = (key: string): string =>
  `<Tagging><TagSet><Tag><Key>${key}</Key><Value>x</Value></Tag></TagSet></Tagging>`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

async function startUpload(owner: SignedCaller, path: string): Promise<string> {
  const { text } = await owner.must({ method: 'POST', path, query: { uploads: '' } });
  const uploadId = /<UploadId>([^<]+)</.exec(text)?.[1] ?? '';
  await owner.must({ method: 'PUT', path, query: { partNumber: '1', uploadId }, body: 'secret' });
  return uploadId;
}

const listsPart = ({ text }: Answered): boolean => text.includes('<PartNumber>1<');

// An upload id of MinIO, taken apart as MinIO does it, that leads to another upload.
function climbingId(bucket: string, key: string, uploadId: string): string {
  const [, own = ''] = Buffer.from(uploadId, 'base64url').toString('latin1').split('.');
  return Buffer.from(`x.../${sha256(`${bucket}/${key}`)}/${own}`, 'latin1').toString('base64url');
}

const uploadCases: readonly AliasCase[] = [
  {
    operation: 'ListParts',
    request: 'an upload id that is a path in base64',
    denied: deny(`${plain}/*victim`),
    reaches: async ({ owner, caller, key }) => {
      const uploadId = await startUpload(owner, `/${plain}/${key}victim`);
      const query = { uploadId: climbingId(plain, `${key}victim`, uploadId) };
      return listsPart(await caller.send({ method: 'GET', path: `/${plain}/${key}mine`, query }));
    },
  },
  {
    operation: 'AbortMultipartUpload',
    request: 'an upload id that is a path in base64',
    denied: deny(`${plain}/*victim`),
    reaches: async ({ owner, caller, key }) => {
      const path = `/${plain}/${key}victim`;
      const uploadId = await startUpload(owner, path);
      const query = { uploadId: climbingId(plain, `${key}victim`, uploadId) };
      await caller.send({ method: 'DELETE', path: `/${plain}/${key}mine`, query });
      return !listsPart(await owner.send({ method: 'GET', path, query: { uploadId } }));
    },
  },
  {
    operation: 'ListParts',
    request: 'an upload id that begins with the end of the key',
    denied: deny(`${plain}/*.victim`),
    reaches: async ({ owner, caller, key }) => {
      const uploadId = await startUpload(owner, `/${plain}/${key}id.victim`);
      const query = { uploadId: `victim.${uploadId}` };
      return listsPart(await caller.send({ method: 'GET', path: `/${plain}/${key}id`, query }));
    },
  },
];

function copyCase(request: string, denied: Statement, sourceOf: (key: string) => string): AliasCase {
  return {
    operation: 'CopyObject',
    request,
    denied,
    reaches: async ({ owner, caller, key }) => {
      await owner.must({ method: 'PUT', path: `/${plain}/${key}.victim`, body: 'secret' });
      const headers = { 'x-amz-copy-source': sourceOf(`/${plain}/${key}`) };
      await caller.send({ method: 'PUT', path: `/${plain}/${key}mine`, headers });
      return (await owner.send({ method: 'GET', path: `/${plain}/${key}mine` })).text === 'secret';
    },
  };
}

function partCase(request: string, denied: Statement, sourceOf: (key: string) => string): AliasCase {
  return {
    operation: 'UploadPartCopy',
    request,
    denied,
    reaches: async ({ owner, caller, key }) => {
      const path = `/${plain}/${key}mine`;
      await owner.must({ method: 'PUT', path: `/${plain}/${key}.victim`, body: 'secret' });
      const started = await owner.must({ method: 'POST', path, query: { uploads: '' } });
      const uploadId = /<UploadId>([^<]+)</.exec(started.text)?.[1] ?? '';
      const headers = { 'x-amz-copy-source': sourceOf(`/${plain}/${key}`) };
      const query = { partNumber: '1', uploadId };
      await caller.send({ method: 'PUT', path, query, headers });
      return listsPart(await owner.send({ method: 'GET', path, query: { uploadId } }));
    },
  };
}

const sources: readonly (readonly [request: string, sourceOf: (key: string) => string])[] = [
  ['the source `key%3FversionId%3D`', (key) => `${key}.victim%3FversionId%3D`],
  ['a source that is encoded twice', (key) => `${key}%252Evictim`],
  ['the source `key/`', (key) => `${key}.victim/`],
];

const sourceCases: readonly AliasCase[] = [copyCase, partCase].flatMap((make) =>
  sources.map(([request, sourceOf]) => make(request, deny(`${plain}/*.victim`), sourceOf)),
);

/** Whether `<name>` can still be made when `<name>/<below>` exists. */
async function canBeMade({ owner, caller }: Parties, name: string, below: string): Promise<boolean> {
  const path = `/${plain}/${name}`;
  await caller.send({ method: 'PUT', path: `${path}/${below}`, body: 'x' });
  return (await owner.send({ method: 'PUT', path, body: 'x' })).status === 200;
}

const ownFileCase: AliasCase = {
  operation: 'PutObject',
  request: '`key/xl.meta`, without which `key` could be made',
  denied: deny(`${plain}/*victim`),
  reaches: async (parties) => {
    const { key } = parties;
    // Stores that keep keys as paths do not make `key` with anything below it.
    if (!(await canBeMade(parties, `${key}other`, 'file'))) return false;
    return !(await canBeMade(parties, `${key}victim`, 'xl.meta'));
  },
};

type Subresource = Omit<AliasCase, 'reaches' | 'denied'> & {
  readonly bucket: string;
  /** The key of the other object, and the one that is asked for. */
  readonly names: readonly [victim: string, asked: string];
  readonly call: Omit<Call, 'path'>;
  readonly happened: (answered: Answered, owner: SignedCaller, path: string) => Promise<boolean>;
};

const lockHeaders = {
  'x-amz-object-lock-mode': 'GOVERNANCE',
  'x-amz-object-lock-retain-until-date': '2037-01-01T00:00:00Z',
};

function subresourceCase({ names: [victim, asked], bucket, call, happened, ...row }: Subresource): AliasCase {
  return {
    ...row,
    denied: deny(`${bucket}/*${victim}`),
    reaches: async ({ owner, caller, key }) => {
      const path = `/${bucket}/${key}${victim}`;
      const headers = { 'x-amz-tagging': 'secret=yes', ...(bucket === locked ? lockHeaders : {}) };
      await owner.must({ method: 'PUT', path, body: '', headers });
      const answered = await caller.send({ ...call, path: `/${bucket}/${key}${asked}` });
      return happened(answered, owner, path);
    },
  };
}

const showsTag = ({ text }: Answered): Promise<boolean> => Promise.resolve(text.includes('<Key>secret<'));
const hasTag = async (owner: SignedCaller, path: string): Promise<boolean> =>
  showsTag(await owner.send({ method: 'GET', path, query: { tagging: '' } }));
const slash = '`key/` for `key`';
const noSlash = '`key` for `key/`';

const getTags = { method: 'GET', query: { tagging: '' } };

const subresourceCases: readonly AliasCase[] = [
  {
    operation: 'GetObjectTagging',
    request: slash,
    bucket: plain,
    names: ['victim', 'victim/'] as const,
    call: getTags,
    happened: showsTag,
  },
  {
    operation: 'GetObjectTagging',
    request: noSlash,
    bucket: plain,
    names: ['victim/', 'victim'] as const,
    call: getTags,
    happened: showsTag,
  },
  {
    operation: 'PutObjectTagging',
    request: slash,
    bucket: plain,
    names: ['victim', 'victim/'] as const,
    call: { method: 'PUT', query: { tagging: '' }, body: tagging('other') },
    happened: async (_: Answered, owner: SignedCaller, path: string) => !(await hasTag(owner, path)),
  },
  {
    operation: 'DeleteObjectTagging',
    request: slash,
    bucket: plain,
    names: ['victim', 'victim/'] as const,
    call: { method: 'DELETE', query: { tagging: '' } },
    happened: async (_: Answered, owner: SignedCaller, path: string) => !(await hasTag(owner, path)),
  },
  {
    operation: 'GetObjectRetention',
    request: slash,
    bucket: locked,
    names: ['victim', 'victim/'] as const,
    call: { method: 'GET', query: { retention: '' } },
    happened: ({ text }: Answered) => Promise.resolve(text.includes('GOVERNANCE')),
  },
  {
    operation: 'PutObjectLegalHold',
    request: slash,
    bucket: locked,
    names: ['victim', 'victim/'] as const,
    call: {
      method: 'PUT',
      query: { 'legal-hold': '' },
      body: '<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>ON</Status></LegalHold>',
    },
    happened: async (_: Answered, owner: SignedCaller, path: string) =>
      (await owner.send({ method: 'GET', path, query: { 'legal-hold': '' } })).text.includes('<Status>ON<'),
  },
].map(subresourceCase);

/** Every case, in the order of the tables. */
export const pathAliases: readonly AliasCase[] = [
  ...uploadCases,
  ...sourceCases,
  ownFileCase,
  ...subresourceCases,
];

interface Version {
  readonly id: string;
  /** The same without dashes, for a store whose ids are UUIDs. */
  readonly alias: string;
}

async function versionOf(owner: SignedCaller, path: string): Promise<Version> {
  const first = await owner.must({ method: 'PUT', path, body: 'secret' });
  await owner.must({ method: 'PUT', path, body: 'newer' });
  const id = String(first.headers['x-amz-version-id']);
  const isUuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id);
  return { id, alias: isUuid ? id.replaceAll('-', '') : hex32 };
}

const hex32 = '0'.repeat(32);

const dashes: Statement = {
  ...deny(`${versioned}/*`, ['s3:GetObjectVersion', 's3:DeleteObjectVersion']),
  Condition: { StringLike: { 's3:versionid': '*-*-*' } },
};

/** Versions under names that a policy does not know, and versions whose tags the store does not find. */
export const versionAliases: readonly AliasCase[] = [
  {
    operation: 'GetObject',
    request: 'a version id without its dashes',
    denied: dashes,
    reaches: async ({ owner, caller, key }) => {
      const path = `/${versioned}/${key}`;
      const { alias: versionId } = await versionOf(owner, path);
      return (await caller.send({ method: 'GET', path, query: { versionId } })).text === 'secret';
    },
  },
  {
    operation: 'CopyObject',
    request: 'a version id of the source without its dashes',
    denied: dashes,
    reaches: async ({ owner, caller, key }) => {
      const path = `/${versioned}/${key}`;
      const { alias: versionId } = await versionOf(owner, path);
      const headers = { 'x-amz-copy-source': `${path}?versionId=${versionId}` };
      await caller.send({ method: 'PUT', path: `${path}-copy`, headers });
      return (await owner.send({ method: 'GET', path: `${path}-copy` })).text === 'secret';
    },
  },
  {
    operation: 'DeleteObjects',
    request: 'a version id without its dashes',
    denied: dashes,
    reaches: async ({ owner, caller, key }) => {
      const path = `/${versioned}/${key}`;
      const { id, alias } = await versionOf(owner, path);
      const body = `<Delete><Object><Key>${key}</Key><VersionId>${alias}</VersionId></Object></Delete>`;
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
      await caller.send({ method: 'POST', path: `/${versioned}`, query: { delete: '' }, body, headers });
      return (await owner.send({ method: 'GET', path, query: { versionId: id } })).status !== 200;
    },
  },
  {
    operation: 'GetObject',
    request: 'the UUID of zeros for `versionId=null`',
    denied: {
      ...deny(`${plain}/*`, 's3:GetObjectVersion'),
      Condition: { StringEquals: { 's3:versionid': 'null' } },
    },
    reaches: async ({ owner, caller, key }) => {
      const path = `/${plain}/${key}`;
      await owner.must({ method: 'PUT', path, body: 'secret' });
      const query = { versionId: '00000000-0000-0000-0000-000000000000' };
      return (await caller.send({ method: 'GET', path, query })).text === 'secret';
    },
  },
  {
    operation: 'GetObject',
    request: '`versionId=null` of an object with tags',
    denied: {
      ...deny(`${plain}/*`, ['s3:GetObject', 's3:GetObjectVersion']),
      Condition: { StringEquals: { 's3:ExistingObjectTag/secret': 'yes' } },
    },
    reaches: async ({ owner, caller, key }) => {
      const path = `/${plain}/${key}`;
      await owner.must({ method: 'PUT', path, body: 'secret', headers: { 'x-amz-tagging': 'secret=yes' } });
      const read = { method: 'GET', path, query: { versionId: 'null' } };
      const tags = await owner.send({ ...read, query: { versionId: 'null', tagging: '' } });
      const isRead = (await caller.send(read)).text === 'secret';
      // A store that shows the object and its tags answers what was asked.
      return isRead && (caller !== owner || tags.status !== 200);
    },
  },
];

const tagsDenied = deny(`${plain}/*`, ['s3:GetObjectTagging', 's3:PutObjectTagging']);

function replaceCase(
  request: string,
  headers: Readonly<Record<string, string>>,
  denied: Statement,
): AliasCase {
  return {
    operation: 'CopyObject',
    request,
    denied,
    reaches: async ({ owner, caller, key }) => {
      const path = `/${plain}/${key}`;
      await owner.must({ method: 'PUT', path, body: 'x', headers: { 'x-amz-tagging': 'secret=yes' } });
      const copy = { method: 'PUT', path: `${path}-copy` };
      await caller.send({ ...copy, headers: { 'x-amz-copy-source': path, ...headers } });
      return hasTag(owner, copy.path);
    },
  };
}

const replace = { 'x-amz-tagging-directive': 'REPLACE' };
const mustBeNew: Statement = {
  ...deny(`${plain}/*`, 's3:PutObject'),
  Condition: { StringNotEquals: { 's3:RequestObjectTag/class': 'new' } },
};

/** Copies that are told to replace the tags of their source, and take them over. */
export const tagAliases: readonly AliasCase[] = [
  replaceCase('`x-amz-tagging-directive: REPLACE`', replace, tagsDenied),
  replaceCase('the same with `x-amz-tagging`', { ...replace, 'x-amz-tagging': 'class=new' }, mustBeNew),
  replaceCase(
    'the same with `x-amz-metadata-directive: REPLACE`',
    { ...replace, 'x-amz-tagging': 'class=new', 'x-amz-metadata-directive': 'REPLACE' },
    mustBeNew,
  ),
];
