/**
 * A `Content-Encoding` without its `aws-chunked` tokens, which speak of one hop's framing and not of the object;
 * `undefined` when nothing else is left. Source: AWS "Transferring Payload in Multiple Chunks".
 */
export function withoutAwsChunked(encoding: string): string | undefined {
  if (!/aws-chunked/i.test(encoding)) return encoding;
  const kept = encoding
    .split(',')
    .map((token) => token.trim())
    .filter((token) => token !== '' && token.toLowerCase() !== 'aws-chunked');
  return kept.length === 0 ? undefined : kept.join(', ');
}
