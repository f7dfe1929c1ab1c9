import type { Trap } from './traps.ts';

/** What strangers and callers without permission may cost, on the built program with as much memory as a container has. */
export const exhaustionTraps: readonly Trap[] = [
  {
    trap: 'uploads by forms whose fields never come, or come in thousands of pieces',
    tests: [
      ['edge/forms-of-strangers.test.ts', 'gives way to the third stranger'],
      ['edge/forms-of-strangers.test.ts', 'ends after ten seconds'],
      ['security/linear-requests.test.ts', 'the fields of a form, also in small pieces'],
    ],
  },
  {
    trap: 'forms of strangers in HTTP chunks of one byte',
    tests: [['hostile/floods/strangers.test.ts', 'forms in HTTP chunks of one byte']],
  },
  {
    trap: '1,300 connections that hold 256 KiB each',
    tests: [['hostile/floods/strangers.test.ts', '1,300 forms of 256 KiB that wait for their last byte']],
  },
  {
    trap: 'heads that never end, on the admin port too',
    tests: [
      ['hostile/floods/strangers.test.ts', '8,000 heads that never end'],
      ['hostile/floods/strangers.test.ts', '15,000 heads that never end on the admin listener'],
    ],
  },
  {
    trap: '2,001 waiting bodies that keep all others out',
    tests: [['hostile/floods/strangers.test.ts', '2,001 forms of 1 KiB that wait for their last byte']],
  },
  {
    trap: 'connections that pipeline and never read',
    tests: [['hostile/floods/strangers.test.ts', 'with pipelines whose answers are never read']],
  },
  {
    trap: 'calls that wait for a webhook and keep all others out',
    tests: [['hostile/floods/strangers.test.ts', 'calls that wait for a webhook keep no caller out']],
  },
  {
    trap: 'documents whose markup never closes, which are searched to their end again and again',
    tests: [
      ['hostile/floods/held-event-loop.test.ts', '$method ?$selector with $markup × $times, then $filling'],
      ['security/linear-program.test.ts', '%j again and again costs no more than its length'],
    ],
  },
  {
    trap: 'SAML responses of strangers that cost as many times as there are certificates',
    tests: [
      ['hostile/floods/held-event-loop.test.ts', 'that no key of %i has signed'],
      ['security/linear-program.test.ts', 'costs the same with one certificate and with ten'],
    ],
  },
  {
    trap: "SAML responses of strangers around the signature of the provider's public metadata",
    tests: [
      ['edge/turns-of-strangers.test.ts', 'that takes a whole turn is judged in one of its own'],
      [
        'edge/turns-of-strangers.test.ts',
        'that gives way while it waits for its turn is never judged; the last one gives way',
      ],
      ['identity/saml/signature-cost.test.ts', 'has one of them canonicalized in five minutes'],
      ['identity/saml/form.test.ts', 'a prefix that is declared again and again'],
    ],
  },
  {
    trap: 'long forms of strangers that arrive together',
    tests: [
      ['edge/turns-of-strangers.test.ts', 'that is long is read in a turn of its own'],
      [
        'edge/turns-of-strangers.test.ts',
        'cannot be displaced by those of strangers while it waits for its turn',
      ],
    ],
  },
  {
    trap: 'made-up tokens of a known key that are verified together',
    tests: [
      [
        'edge/tokens-of-strangers.test.ts',
        'stay within their room, and are not kept in parsed form, while they are verified',
      ],
    ],
  },
  {
    trap: 'thousands of claims in an object of a long name',
    tests: [
      ['identity/textual-claims.test.ts', 'an object of a long name with thousands of members'],
      ['identity/oidc/user-info.test.ts', 'thousands of claims in an object of a long name'],
    ],
  },
  {
    trap: 'batches in HTTP chunks of one byte, of callers without permission and with it',
    tests: [
      [
        'hostile/floods/strangers.test.ts',
        'with a batch in HTTP chunks of one byte, which is refused from its head',
      ],
      ['hostile/floods/strangers.test.ts', 'with a batch in HTTP chunks of one byte'],
    ],
  },
  {
    trap: 'hundreds of waiting batches of one caller',
    tests: [
      ['hostile/floods/strangers.test.ts', 'with 500 batches that wait for their last byte'],
      [
        'hostile/floods/strangers.test.ts',
        'with 200 batches that wait for their last byte: some wait, the others get SlowDown',
      ],
    ],
  },
  {
    trap: 'denied batches whose answers are never read',
    tests: [['hostile/floods/strangers.test.ts', 'with denied batches whose answers are never read']],
  },
  {
    trap: 'slow bodies of one session that make revocations stale for all others',
    tests: [
      [
        'interop/redis-slow-bodies.test.ts',
        'slow bodies of one session without permission do not make revocations stale',
      ],
      [
        'authenticate/late-bodies.test.ts',
        'is judged by the current revocations, and makes nothing stale for others',
      ],
    ],
  },
  {
    trap: 'oversized forms, tokens of 20 KB and ten thousand parameters, hundreds at a time',
    tests: [
      ['hostile/floods/strangers.test.ts', '200 forms of 8 MiB'],
      ['hostile/floods/strangers.test.ts', '500 connections with session tokens of 20 KB'],
      ['hostile/floods/strangers.test.ts', '500 connections with 10,000 query parameters'],
    ],
  },
  {
    trap: 'a cache or a metric that grows with names which strangers make up',
    tests: [['hostile/floods/strangers.test.ts', 'with 100,000 unknown access keys and buckets']],
  },
];
