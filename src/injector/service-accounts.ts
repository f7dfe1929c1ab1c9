import { readFile } from 'node:fs/promises';
import { Secret } from '../core/secret.ts';
import type { GuardedFetch } from '../outbound/guarded-fetch.ts';
import type { ReadServiceAccount } from './admission.ts';
import { QuestionLine } from './question-line.ts';
import type { InjectorSettings } from './settings.ts';

/** A service account with the tokens and annotations of many controllers is far smaller. */
const maxAnswerBytes = 1_048_576;

/** Reads service accounts from the API server, with the injector's own token, which the kubelet renews. */
export function serviceAccountReader(
  { url, caFile, tokenFile }: InjectorSettings['apiServer'],
  fetch: GuardedFetch,
): ReadServiceAccount {
  const line = new QuestionLine();
  return async (namespace, name, client) => {
    await line.enter(client);
    try {
      const [caPem, token] = await Promise.all([readFile(caFile, 'utf8'), readFile(tokenFile, 'utf8')]);
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
      const question = { url: url + path, maxBytes: maxAnswerBytes, caPem, bearer: new Secret(token.trim()) };
      return (await fetch.answer(question)).value;
    } finally {
      line.leave();
    }
  };
}
