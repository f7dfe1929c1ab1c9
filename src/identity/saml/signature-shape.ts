import { isElement, onlyChildOf } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import type { SignedElement } from './read-message.ts';
import {
  canonicalizations,
  digestAlgorithms,
  envelopedTransform,
  type SignatureRule,
  signatureRules,
} from './signature-algorithms.ts';
import type { XmlNode } from './strict-xml.ts';

const { signature: namespace } = xmlNamespaces;
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** Longest signature without its KeyInfo, in characters. The value of the largest key takes less than 3,000. */
const maxLength = 6_144;

/** A signature of the accepted shape. */
export interface JudgedSignature {
  /** The rule of its algorithm. */
  readonly rule: SignatureRule;
  /** Its SignatureValue. */
  readonly value: XmlNode;
}

/**
 * Checks the structure of a signature before anything is computed (SAML 2.0 core, section 5.4): one reference, to the element
 * that contains the signature, with the transforms that SAML allows and the accepted algorithms. Returns its parts, or what is
 * wrong with it.
 */
export function judgeSignature({ owner, signature }: SignedElement): JudgedSignature | string {
  const [info, value, keyInfo, ...more] = signature.children;
  if (
    info === undefined ||
    value === undefined ||
    more.length > 0 ||
    !isElement(info, namespace, 'SignedInfo') ||
    !isElement(value, namespace, 'SignatureValue') ||
    (keyInfo !== undefined && !isElement(keyInfo, namespace, 'KeyInfo')) ||
    value.children.length > 0
  ) {
    return 'the signature is not made of SignedInfo, SignatureValue and KeyInfo';
  }
  if (value.end - signature.start > maxLength) return 'the signature is too long';
  const [canonicalization, method, reference, ...others] = info.children;
  if (
    canonicalization === undefined ||
    method === undefined ||
    reference === undefined ||
    others.length > 0 ||
    !isElement(canonicalization, namespace, 'CanonicalizationMethod') ||
    !isElement(method, namespace, 'SignatureMethod') ||
    !isElement(reference, namespace, 'Reference')
  ) {
    return 'the signed information does not have exactly one reference';
  }
  if (!isCanonicalization(canonicalization)) return 'the canonicalization method is not supported';
  const rule = method.children.length === 0 ? signatureRules.get(algorithmOf(method)) : undefined;
  if (rule === undefined) return 'the signature algorithm is not supported';
  return judgeReference(reference, owner) ?? { rule, value };
}

function judgeReference(reference: XmlNode, owner: XmlNode): string | undefined {
  const id = owner.attributes.get('ID');
  if (id === undefined || reference.attributes.get('URI') !== `#${id}`) {
    return 'the reference is not to the element that the signature stands in';
  }
  const [transforms, method, value, ...more] = reference.children;
  if (
    transforms === undefined ||
    method === undefined ||
    value === undefined ||
    more.length > 0 ||
    !isElement(transforms, namespace, 'Transforms') ||
    !isElement(method, namespace, 'DigestMethod') ||
    !isElement(value, namespace, 'DigestValue') ||
    value.children.length > 0
  ) {
    return 'the reference is not made of transforms and a digest';
  }
  if (!digestAlgorithms.has(algorithmOf(method))) return 'the digest algorithm is not supported';
  return areTransforms(transforms.children) ? undefined : 'the transforms are not supported';
}

function areTransforms([first, second, ...more]: readonly XmlNode[]): boolean {
  if (first === undefined || more.length > 0) return false;
  if (!isElement(first, namespace, 'Transform') || algorithmOf(first) !== envelopedTransform) return false;
  if (first.children.length > 0) return false;
  return second === undefined || (isElement(second, namespace, 'Transform') && isCanonicalization(second));
}

/** An accepted canonicalization. The exclusive one may list prefixes (Exclusive XML Canonicalization, section 4). */
function isCanonicalization(node: XmlNode): boolean {
  const algorithm = algorithmOf(node);
  if (!canonicalizations.has(algorithm)) return false;
  if (node.children.length === 0) return true;
  const inclusive = onlyChildOf(node, exclusive, 'InclusiveNamespaces');
  return algorithm === exclusive && inclusive?.children.length === 0 && node.children.length === 1;
}

function algorithmOf({ attributes }: XmlNode): string {
  return attributes.get('Algorithm') ?? '';
}
