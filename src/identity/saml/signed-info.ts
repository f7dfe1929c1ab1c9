import type { SignedXml } from 'xml-crypto';
import { createVerifier } from './signature-algorithms.ts';

type Canonicalization = SignedXml['CanonicalizationAlgorithms'][string];

/**
 * Returns the text that a signature value is computed over: the canonical form of SignedInfo, for a signature that is a
 * document of its own. `undefined` when the library cannot read it. Looks at nothing but the signature.
 */
export function canonicalSignedInfo(signature: string): string | undefined {
  const forms: string[] = [];
  const reader = createVerifier();
  for (const [name, algorithm] of Object.entries(reader.CanonicalizationAlgorithms)) {
    reader.CanonicalizationAlgorithms[name] = recording(algorithm, forms);
  }
  try {
    reader.loadSignature(signature);
    // Loading computes a form without the namespaces of the surrounding elements.
    forms.length = 0;
    // The library does not return the canonical form, so it is captured while the reference is checked. The reference has no
    // target in this document.
    reader.checkSignature(signature);
  } catch {
    return undefined;
  }
  return forms[0];
}

/** The same algorithm, which also adds its output to the list. */
function recording(Algorithm: Canonicalization, forms: string[]): Canonicalization {
  return class extends Algorithm {
    override process(...given: Parameters<InstanceType<Canonicalization>['process']>): Node | string {
      const form = super.process(...given);
      if (typeof form === 'string') forms.push(form);
      return form;
    }
  };
}
