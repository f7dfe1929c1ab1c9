import type { XmlElement } from '../../core/xml.ts';
import type { DocumentFacts, DocumentRule, Permission, S3Request } from '../operation.ts';
import { malformed, readDocument, rewriteElement, uniqueChildren } from '../strict-document.ts';
import { requiredText, tagsOfTarget } from './delivery-targets.ts';

const maxBytes = 262_144;

/** Configuration → the element that names its target, and what may be done to the target. */
const targets: ReadonlyMap<string, readonly [element: string, action: string]> = new Map([
  ['TopicConfiguration', ['Topic', 'sns:Publish']],
  ['QueueConfiguration', ['Queue', 'sqs:SendMessage']],
  ['CloudFunctionConfiguration', ['CloudFunction', 'lambda:InvokeFunction']],
]);

/** Where the store sends what happens in a bucket: the caller must be allowed to send there. */
export const notificationDocument: DocumentRule = {
  maxBytes,
  read: readNotification,
  actions: [...targets.values()].map(([, action]) => action),
};

// Source: AWS "PutBucketNotificationConfiguration"; an empty one ends all notifications.
function readNotification(_: S3Request, body: Buffer): DocumentFacts {
  const root = readDocument(body, { root: 'NotificationConfiguration', maxBytes, maxDepth: 8 });
  const permissions = root.children.flatMap(readConfiguration);
  return { permissions, rewritten: rewriteElement(root) };
}

function readConfiguration(configuration: XmlElement): Permission[] {
  // It sends to the one bus of the account, and names nothing.
  if (configuration.name === 'EventBridgeConfiguration') {
    if (configuration.children.length > 0) throw malformed();
    return [];
  }
  const [element, action] = targets.get(configuration.name) ?? [];
  if (element === undefined || action === undefined) throw malformed();
  const known = new Set(['Id', 'Filter', element]);
  const events = configuration.children.filter(({ name }) => name === 'Event');
  const others = configuration.children.filter(({ name }) => name !== 'Event');
  if (events.some(({ children }) => children.length > 0)) throw malformed();
  const resource = requiredText(uniqueChildren({ ...configuration, children: others }, known), element);
  if (!arnSyntax.test(resource)) throw malformed();
  return [{ action, resource, object: undefined, unknownKeys: tagsOfTarget }];
}

// Stores name their targets in ways of their own, but always by an ARN: arn:minio:sqs::PRIMARY:webhook.
const arnSyntax = /^arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:[^\s*?]+$/;
