import { expect, it } from 'vitest';
import { compilePolicy } from '../../src/iam/compile.ts';
import { parsePolicyDocument } from '../../src/iam/document.ts';

it('lists every key that conditions and variables of a policy refer to', () => {
  const document = parsePolicyDocument(
    {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:*',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
          Resource: 'arn:aws:s3:::b/${aws:PrincipalTag/Team}/*',
          Condition: {
            // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
            StringEquals: { 's3:ExistingObjectTag/Owner': "${aws:username, 'nobody'}" },
            Bool: { 'aws:SecureTransport': 'true' },
          },
        },
      ],
    },
    'identity',
  );
  expect([...compilePolicy(document, 'p').contextKeys].sort()).toEqual([
    'aws:principaltag/team',
    'aws:securetransport',
    'aws:username',
    's3:existingobjecttag/owner',
  ]);
});
