/** The six segments of an Amazon Resource Name; the resource keeps its own colons. */
export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  readonly resource: string;
}

/** Splits `arn:partition:service:region:account:resource`; `undefined` for anything else. */
export function parseArn(text: string): Arn | undefined {
  const segments = splitArnSegments(text);
  if (segments.length !== 6) return undefined;
  const [scheme, partition = '', service = '', region = '', account = '', resource = ''] = segments;
  if (scheme !== 'arn' || partition === '' || service === '' || resource === '') return undefined;
  return { partition, service, region, account, resource };
}

/** Splits on the first five colons; fewer segments come back as they are. */
export function splitArnSegments(text: string): string[] {
  const segments: string[] = [];
  let start = 0;
  while (segments.length < 5) {
    const colon = text.indexOf(':', start);
    if (colon < 0) break;
    segments.push(text.slice(start, colon));
    start = colon + 1;
  }
  segments.push(text.slice(start));
  return segments;
}

/** The account of an ARN; empty for a text with fewer than five segments. */
export function accountOf(arn: string): string {
  let start = 0;
  for (let segment = 0; segment < 4; segment += 1) {
    start = arn.indexOf(':', start) + 1;
    if (start === 0) return '';
  }
  const end = arn.indexOf(':', start);
  return arn.slice(start, end < 0 ? undefined : end);
}

/** Writes an ARN; the inverse of {@link parseArn}. */
export function formatArn(arn: Arn): string {
  return `arn:${arn.partition}:${arn.service}:${arn.region}:${arn.account}:${arn.resource}`;
}
