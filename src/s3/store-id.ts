const syntax = /^[A-Za-z0-9._~+=-]{1,1024}$/;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Whether a text is an id as stores make them for versions, uploads and configurations. Some stores use ids as parts of
 * file names, so that a slash or `..` would lead elsewhere; some cut off white space or read UUIDs in several spellings, so
 * that a policy about one of them would be passed by.
 */
export function isStoreId(text: string): boolean {
  const isPath = text === '.' || text === '..';
  return syntax.test(text) && !isPath && (!uuid.test(text) || text === text.toLowerCase());
}
