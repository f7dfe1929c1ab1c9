import type { Authorized } from '../authorize/authorize-s3.ts';
import type { HeaderField } from '../core/header-list.ts';
import { type Asking, askStore, type Question, unclearAnswer } from './asking.ts';
import { StoreRefusalError } from './faults.ts';
import { faultBehind } from './hidden-errors.ts';
import { readStoreError } from './store-error.ts';

const methodNotAllowed = 405;

type CopySource = NonNullable<Authorized['request']['copySource']>;

/**
 * Refuses a copy whose source does not exist. versitygw 1.8 copies the content of a deleted object, also when the source is the
 * delete marker itself (observed on 2026-11-29); on AWS that takes `s3:GetObjectVersion`.
 *
 * @throws StoreRefusalError
 * @throws UpstreamFault when the answer does not tell
 */
export async function requireSource(
  authorized: Authorized,
  source: CopySource,
  asking: Asking,
): Promise<void> {
  const question = questionFor(authorized, source);
  const { status } = await askStore(asking, question);
  if (status === 200) return;
  if (status === methodNotAllowed && source.versionId !== undefined)
    throw new StoreRefusalError(
      'InvalidRequest',
      400,
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    );
  // The answer to a HEAD has no code, on which it depends whether a 404 may be shown.
  const headers = [...(question.headers ?? []), { name: 'range', value: 'bytes=0-0' }];
  const refused = await askStore(asking, { ...question, method: 'GET', headers });
  // versitygw 1.8 answers HEAD with 404 and GET with the object for `versionId=null` in a bucket without versioning.
  if (status === 404 && (refused.status === 200 || refused.status === 206)) return;
  const code = readStoreError(refused.body)?.code;
  const isExplained = refused.status === status && status >= 400 && status < 500;
  if (!isExplained || code === undefined) throw unclearAnswer(status, 'a source');
  throw faultBehind({ code, status }, authorized) ?? new StoreRefusalError(code, status, textOf(code));
}

function textOf(code: string): string {
  return code === 'NoSuchKey' ? 'The specified key does not exist.' : 'The source cannot be copied.';
}

const keyOfSource = /^x-amz-copy-source-(server-side-encryption-customer-.+)$/;

function questionFor({ request }: Authorized, { bucket, key, versionId }: CopySource): Question {
  const headers: HeaderField[] = [];
  for (const [name, value] of request.headers) {
    const [, own] = keyOfSource.exec(name) ?? [];
    if (own !== undefined) headers.push({ name: `x-amz-${own}`, value });
  }
  const parameters = versionId === undefined ? [] : [{ name: 'versionId', value: versionId }];
  return { method: 'HEAD', bucket, key, parameters, headers };
}
