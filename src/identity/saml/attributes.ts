import { childrenOf, plainText } from './elements.ts';
import { xmlNamespaces } from './namespaces.ts';
import { rejected } from './rejected.ts';
import type { XmlNode } from './strict-xml.ts';

const { assertion: namespace } = xmlNamespaces;
/** Attributes with a meaning for the session. Their values must be plain text. */
const ownPrefix = 'https://aws.amazon.com/SAML/Attributes/';

/**
 * The attributes of all statements of an assertion (SAML 2.0 core, section 2.7.3). An attribute that occurs twice has the
 * values of both. A value that is not plain text is left out, unless the attribute has a meaning for the session.
 * @throws IdentityFault `bad_claims`
 */
export function readAttributes(assertion: XmlNode): ReadonlyMap<string, readonly string[]> {
  const attributes = new Map<string, string[]>();
  for (const statement of childrenOf(assertion, namespace, 'AttributeStatement')) {
    for (const attribute of childrenOf(statement, namespace, 'Attribute')) {
      const name = attribute.attributes.get('Name') ?? '';
      const values = attributes.get(name) ?? [];
      for (const node of childrenOf(attribute, namespace, 'AttributeValue')) {
        const value = plainText(node);
        if (value !== undefined) values.push(value);
        else if (name.startsWith(ownPrefix))
          throw rejected('bad_claims', 'an attribute value must be plain text');
      }
      attributes.set(name, values);
    }
  }
  return attributes;
}
