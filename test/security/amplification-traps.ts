import type { Trap } from './traps.ts';

/** Few bytes that take much, and room that is never given back. */
export const amplificationTraps: readonly Trap[] = [
  {
    trap: 'thousands of pipelined requests in one read, on the admin listener too',
    tests: [
      [
        'hostile/floods/amplification.test.ts',
        'in 40,000 requests of 18 bytes on a connection whose answer is not read',
      ],
      [
        'hostile/floods/amplification.test.ts',
        'in 20,000 requests for metrics on a connection that reads nothing',
      ],
    ],
  },
  {
    trap: 'a head with Upgrade or CONNECT after the first request that is dropped, and a reset',
    tests: [
      ['security/dropped-upgrades.test.ts', 'and a reset do not end the process'],
      ['security/dropped-upgrades.test.ts', 'does not keep the place of the request before it'],
    ],
  },
  {
    trap: 'unfinished heads of headers of a few bytes',
    tests: [
      ['hostile/floods/amplification.test.ts', 'in 2,300 unfinished heads of headers of seven bytes'],
      ['edge/heads.test.ts', 'are limited to 256'],
    ],
  },
  {
    trap: 'heads and trailers outside any place: of refused uploads, behind whole requests, all at once',
    tests: [
      ['hostile/floods/heads-outside-places.test.ts', 'of 3,400 refused uploads whose bodies trickle'],
      ['hostile/floods/heads-outside-places.test.ts', 'of 3,400 uploads that fail at their first chunk'],
      ['hostile/floods/heads-outside-places.test.ts', 'that begin in the same read as a whole request'],
      ['hostile/floods/heads-outside-places.test.ts', 'that grow on 3,500 connections at the same moment'],
      ['hostile/floods/heads-outside-places.test.ts', 'or with trailers of 3,400 refused uploads'],
    ],
  },
  {
    trap: 'long heads of requests in flight, and of those that wait behind them',
    tests: [
      [
        'hostile/floods/heads-in-flight.test.ts',
        'a caller cannot exhaust memory with long heads of requests in flight and behind them',
      ],
    ],
  },
  {
    trap: 'callers whose signature was verified once hoard connections, heads and waiting requests',
    tests: [
      ['edge/hoarders.test.ts', 'do not keep the heads of others out with unfinished heads of their own'],
      ['edge/hoarders.test.ts', 'keep half of the connections at most while others need some'],
      ['edge/hoarders.test.ts', 'requests that wait behind others share one limit across all connections'],
    ],
  },
  {
    trap: 'bodies of one-byte chunks that wait to be read',
    tests: [
      [
        'hostile/floods/amplification.test.ts',
        'in bodies of one-byte chunks that wait behind an answer which is not read',
      ],
      [
        'hostile/floods/amplification.test.ts',
        'in two chunks of one byte as the body of each request that waits',
      ],
      [
        'hostile/floods/amplification.test.ts',
        'in hundreds of trailers behind the body of each request that waits',
      ],
    ],
  },
  {
    trap: 'answers of a store in chunks of one byte',
    tests: [
      [
        'hostile/floods/amplification.test.ts',
        'nor do the answers of a store in chunks of one byte that no client reads',
      ],
    ],
  },
  {
    trap: 'all bytes of strangers held by fewer of them than there are places',
    tests: [
      [
        'hostile/floods/strangers.test.ts',
        'forms that take all bytes which strangers may hold keep no caller out',
      ],
      ['edge/places.test.ts', 'that wait for an identity provider take no room from others'],
    ],
  },
  {
    trap: 'held answers that are read a byte at a time, scrapers that keep probes out',
    tests: [
      ['edge/slow-readers.test.ts', 'an answer charged to the byte budget has to be read within a minute'],
      ['edge/slow-scrapers.test.ts', 'probes are answered while every connection is busy with metrics'],
    ],
  },
  {
    trap: 'refusals six times as long as what they refuse',
    tests: [
      ['edge/short-refusals.test.ts', 'a refusal does not repeat a path that is longer than any key'],
      [
        'edge/short-refusals.test.ts',
        'a refusal does not repeat the whole of a canonical request that is longer than any at AWS',
      ],
    ],
  },
  {
    trap: 'a key set that takes the event loop',
    tests: [['identity/key-sets.test.ts', '200 keys of the dearest curve are imported a few at a time']],
  },
  {
    trap: 'batches of very many short keys, which take far more than their bytes',
    tests: [
      [
        'hostile/floods/batch-memory.test.ts',
        'do not fill the memory, however many two callers send at once',
      ],
    ],
  },
];
