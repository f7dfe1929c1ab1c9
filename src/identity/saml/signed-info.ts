import type { SignedXml } from 'xml-crypto';
import { createVerifier } from './signature-algorithms.ts';

type Canonicalization = SignedXml['CanonicalizationAlgorithms'][string];

/**
 * What a signature value is computed over: the canonical form of SignedInfo, of a signature that is a document of its
 * own. `undefined` when the library cannot read it. Nothing but the signature is looked at.
 */
export function canonicalSignedInfo(signature: string): string | undefined {
  const forms: string[] = [];
  const reader = createVerifier();
  for (const [name, algorithm] of Object.entries(reader.CanonicalizationAlgorithms)) {
    reader.CanonicalizationAlgorithms[name] = recording(algorithm, forms);
  }
  try {
    reader.loadSignature(signature);
    // Loading makes a form of its own, which has not the namespaces around.
    forms.length = 0;
    // The library gives the form to nobody, so it is taken on its way. Its reference leads nowhere in this document.
    reader.checkSignature(signature);
  } catch {
    return undefined;
  }
  return forms[0];
}

/** The same algorithm; what it makes is also put into the list. */
function recording(Algorithm: Canonicalization, forms: string[]): Canonicalization {
  return class extends Algorithm {
    override process(...given: Parameters<InstanceType<Canonicalization>['process']>): Node | string {
      const form = super.process(...given);
      if (typeof form === 'string') forms.push(form);
      return form;
    }
  };
}
