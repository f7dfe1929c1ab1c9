import { generateKeyPairSync, type KeyObject } from 'node:crypto';

const keys = new Map<string, KeyObject>();
const borrowed = new Set<string>();

/**
 * A private RSA key, made once per test worker: making one takes longer than most tests. The same name and size always
 * give the same key, another name another key. A test for which it matters that a key is new makes one itself.
 */
export function rsaKey(name: string, bits = 2048): KeyObject {
  const id = `${name} ${bits}`;
  const known = keys.get(id);
  if (known !== undefined) return known;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  keys.set(id, privateKey);
  return privateKey;
}

/** A key that no other borrower has until it is given back. */
export interface BorrowedKey {
  readonly key: KeyObject;
  giveBack(): void;
}

/** Lends a private RSA key of 2048 bits. */
export function borrowRsaKey(): BorrowedKey {
  let number = 1;
  while (borrowed.has(`borrowed-${number}`)) number += 1;
  const name = `borrowed-${number}`;
  borrowed.add(name);
  let isBack = false;
  return {
    key: rsaKey(name),
    giveBack: () => {
      if (!isBack) borrowed.delete(name);
      isBack = true;
    },
  };
}
