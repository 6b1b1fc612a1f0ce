import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectTo, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMPRESSION_ERROR, ConnectionError } from '../../../src/wire/lean/errors.js';
import { frame, settings, SETTINGS } from '../../../src/wire/lean/frame.js';
import { FrameReader } from '../../../src/wire/lean/frame-reader.js';
import { Decoder } from '../../../src/wire/lean/hpack/decoder.js';
import { decodeHuffman } from '../../../src/wire/lean/hpack/huffman.js';
import { seeded } from '../../helpers/random.js';
import { block, decode, indexedBlock, integer, text } from './hpack.js';
import type { Pair } from './hpack.js';
import { bitsOf, CODES, fromBits, huffman } from './huffman.js';

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');

/** What stands in the dynamic table, newest first: found by asking for each number until there is none. */
function tableOf(decoder: Decoder): Pair[] {
  const entries: Pair[] = [];
  for (let index = 62; ; index++) {
    try {
      entries.push(...decode(integer(index, 7, 0x80), decoder));
    } catch {
      return entries;
    }
  }
}

const refused = (bytes: Buffer, decoder = new Decoder()): unknown => {
  try {
    return decode(bytes, decoder);
  } catch (error) {
    return error instanceof ConnectionError ? error.code : error;
  }
};

const DATE1 = 'Mon, 21 Oct 2013 20:13:21 GMT';
const DATE2 = 'Mon, 21 Oct 2013 20:13:22 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const FIRST: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
];
const THIRD: Pair[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/index.html'],
  [':authority', 'www.example.com'],
  ['custom-key', 'custom-value'],
];
const REQUESTS: readonly Pair[][] = [FIRST, [...FIRST, ['cache-control', 'no-cache']], THIRD];
const REQUEST_TABLES: readonly Pair[][] = [
  [[':authority', 'www.example.com']],
  [
    ['cache-control', 'no-cache'],
    [':authority', 'www.example.com'],
  ],
  [
    ['custom-key', 'custom-value'],
    ['cache-control', 'no-cache'],
    [':authority', 'www.example.com'],
  ],
];
const LOCATION: Pair = ['location', 'https://www.example.com'];
const RESPONSES: readonly Pair[][] = [
  [[':status', '302'], ['cache-control', 'private'], ['date', DATE1], LOCATION],
  [[':status', '307'], ['cache-control', 'private'], ['date', DATE1], LOCATION],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', DATE2],
    LOCATION,
    ['content-encoding', 'gzip'],
    ['set-cookie', COOKIE],
  ],
];
const RESPONSE_TABLES: readonly Pair[][] = [
  [LOCATION, ['date', DATE1], ['cache-control', 'private'], [':status', '302']],
  [[':status', '307'], LOCATION, ['date', DATE1], ['cache-control', 'private']],
  [
    ['set-cookie', COOKIE],
    ['content-encoding', 'gzip'],
    ['date', DATE2],
  ],
];

describe('RFC 7541, Appendix C', () => {
  test('C.1: integers that fit their prefix, and one that does not', () => {
    expect(integer(10, 5).toString('hex')).toBe('0a');
    expect(integer(1337, 5).toString('hex')).toBe('1f9a0a');
    expect(integer(42, 8).toString('hex')).toBe('2a');
    // A table of 1337 octets holds an entry of 1337, and none of 1338.
    const decoder = new Decoder();
    decode(hex('3f9a0a'), decoder);
    decode(indexedBlock(['n', 'v'.repeat(1337 - 33)]), decoder);
    expect(tableOf(decoder)).toHaveLength(1);
    decode(indexedBlock(['n', 'v'.repeat(1338 - 33)]), decoder);
    expect(tableOf(decoder)).toHaveLength(0);
    decode(hex('2a'), decoder);
    decode(indexedBlock(['a', '']), decoder);
    expect(tableOf(decoder)).toHaveLength(0);
  });

  test.each<[string, string, Pair, Pair[]]>([
    [
      'C.2.1: literal with indexing',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
      [['custom-key', 'custom-header']],
    ],
    ['C.2.2: literal without indexing', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path'], []],
    ['C.2.3: literal never indexed', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret'], []],
    ['C.2.4: indexed', '82', [':method', 'GET'], []],
  ])('%s', (_, digits, field, table) => {
    const decoder = new Decoder();
    expect(decode(hex(digits), decoder)).toEqual([field]);
    expect(tableOf(decoder)).toEqual(table);
  });

  test.each<[string, string, readonly string[], readonly Pair[][], readonly Pair[][]]>([
    [
      'C.3: requests',
      '',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      REQUESTS,
      REQUEST_TABLES,
    ],
    [
      'C.4: requests with Huffman',
      '',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      REQUESTS,
      REQUEST_TABLES,
    ],
    [
      'C.5: responses, with a table of 256 octets that evicts',
      '3fe1 01',
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d
         546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f
         6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b
         2076 6572 7369 6f6e 3d31`,
      ],
      RESPONSES,
      RESPONSE_TABLES,
    ],
    [
      'C.6: the same with Huffman',
      '3fe1 01',
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7
         8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335
         dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
      RESPONSES,
      RESPONSE_TABLES,
    ],
  ])('%s', (_, size, blocks, lists, tables) => {
    const decoder = new Decoder();
    decode(hex(size), decoder);
    blocks.forEach((digits, index) => {
      expect(decode(hex(digits.replaceAll(/\s/g, '')), decoder)).toEqual(lists[index]);
      expect(tableOf(decoder)).toEqual(tables[index]);
    });
  });
});

describe('Huffman', () => {
  const out = Buffer.alloc(100_000);
  const back = (bytes: Buffer): string => out.toString('latin1', 0, decodeHuffman(bytes, 0, bytes.length, out));

  test('the code is the one of the RFC, at its ends and in between', () => {
    const codes = [0, 10, 32, 92, 97, 249, 255, 256].map((symbol) => BigInt(`0b${CODES.get(symbol)}`).toString(16));
    expect(codes).toEqual(['1ff8', '3ffffffc', '14', '7fff0', '3', 'ffffffe', '3ffffee', '3fffffff']);
    expect(CODES.size).toBe(257);
  });

  test('brings back every octet, alone and beside every other', () => {
    for (let first = 0; first < 256; first++) {
      expect(back(huffman([first]))).toBe(String.fromCharCode(first));
      for (let second = 0; second < 256; second += 5)
        expect(back(huffman([first, second]))).toBe(String.fromCharCode(first, second));
    }
  });

  test('brings back random texts', () => {
    const random = seeded(7541);
    for (let round = 0; round < 500; round++) {
      const octets = Buffer.from(Array.from({ length: random.below(200) }, () => random.below(256)));
      expect(back(huffman(octets))).toBe(octets.toString('latin1'));
    }
  });

  test.each(['a', 'b', 'B', 'X', "'", '#', '$', '^', '|', '{', '\\'])(
    'refuses every padding that is not all ones, after %s',
    (word) => {
      const bits = bitsOf(Buffer.from(word));
      const missing = (8 - (bits.length % 8)) % 8;
      let refusals = 0;
      for (let padding = 0; padding < 2 ** missing; padding++)
        if (readAsWritten(fromBits(bits + padding.toString(2).padStart(missing, '0'))) === 'refused') refusals++;
      // From five bits on the padding may be a symbol of its own, which is another text.
      expect(refusals).toBeGreaterThanOrEqual(missing < 5 ? 2 ** missing - 1 : 2 ** missing / 2);
    },
  );

  /** No text has two spellings: what is read is what would be written. */
  function readAsWritten(bytes: Buffer): 'read' | 'refused' {
    let read: string;
    try {
      read = back(bytes);
    } catch {
      return 'refused';
    }
    expect(huffman(Buffer.from(read, 'latin1')).toString('hex')).toBe(bytes.toString('hex'));
    return 'read';
  }

  test('every one of the 65,792 spellings of one or two octets is refused, or the only one of its text', () => {
    const counts = { read: 0, refused: 0 };
    for (let first = 0; first < 256; first++) {
      counts[readAsWritten(Buffer.of(first))]++;
      for (let second = 0; second < 256; second++) counts[readAsWritten(Buffer.of(first, second))]++;
    }
    console.log('Huffman spellings', counts);
    expect(counts.read).toBeGreaterThan(500);
    expect(counts.refused).toBeGreaterThan(40_000);
  });

  test('refuses a padding of a whole octet and more, and EOS', () => {
    for (const word of ['', 'a', 'abc', '&', 'www.example.com']) {
      const right = huffman(Buffer.from(word));
      expect(() => back(Buffer.concat([right, Buffer.of(0xff)])), word).toThrow('a wrong padding');
      expect(() => back(Buffer.concat([right, Buffer.alloc(3, 0xff)])), word).toThrow(/a wrong padding|EOS/);
    }
    expect(() => back(fromBits('1'.repeat(32)))).toThrow('EOS');
    expect(() => back(fromBits(`${bitsOf([97])}${'1'.repeat(30)}11111`))).toThrow('EOS');
  });

  test('a code that is cut is no text', () => {
    expect(() => back(huffman([0]).subarray(0, 1))).toThrow('a wrong padding');
  });
});

describe('what is refused, as COMPRESSION_ERROR', () => {
  test.each<[string, Buffer]>([
    ['index 0', hex('80')],
    ['an index beyond the static table, with an empty dynamic one', hex('be')],
    ['a name beyond it', Buffer.concat([integer(62, 6, 0x40), text('v')])],
    ['a field that ends before its name', hex('40')],
    ['a field that ends before its value', Buffer.concat([Buffer.of(0x40), text('name')])],
    ['a text that ends before its length', hex('4003 6161')],
    ['a length that ends before its last octet', hex('407f')],
    ['an integer of six octets', hex('ff80 8080 8080 01')],
    ['an integer that never ends', hex('ffff ffff ffff ffff ffff')],
    ['an integer of six octets, though it is small', hex('3f80 8080 8000')],
    ['a table above our SETTINGS', integer(4097, 5, 0x20)],
    ['a size update after a field', hex('8220')],
    ['three size updates', hex('202020')],
    ['Huffman with a wrong padding', Buffer.concat([hex('0001 6181'), hex('18')])],
  ])('%s', (_, bytes) => {
    expect(refused(bytes)).toBe(COMPRESSION_ERROR);
  });

  test('the nearest to them is read', () => {
    expect(refused(hex('81'))).toEqual([[':authority', '']]);
    expect(refused(integer(4096, 5, 0x20))).toEqual([]);
    expect(refused(hex('3f80 8080 00'))).toEqual([]);
    expect(refused(hex('2020 82'))).toEqual([[':method', 'GET']]);
    expect(refused(Buffer.concat([hex('0001 6181'), hex('1f')]))).toEqual([['a', 'a']]);
  });

  test('every prefix of a block is refused, or is a shorter list', () => {
    const whole = block([':method', 'GET'], ['a', 'b'.repeat(300)], ['c', 'd']);
    for (let end = 0; end < whole.length; end++) {
      const got = refused(whole.subarray(0, end));
      expect(got === COMPRESSION_ERROR || (Array.isArray(got) && got.length < 3), `${end}`).toBe(true);
    }
  });
});

describe('the dynamic table', () => {
  test('holds 128 of the smallest entries and no more than 4,096 octets', () => {
    const decoder = new Decoder();
    for (let index = 0; index < 300; index++) decode(indexedBlock(['', '']), decoder);
    expect(tableOf(decoder)).toHaveLength(128);
    decode(indexedBlock(['n', 'v'.repeat(4096 - 33)]), decoder);
    expect(tableOf(decoder)).toHaveLength(1);
  });

  test('is the same as a plain list with the same rules, over random blocks', () => {
    const random = seeded(1);
    const decoder = new Decoder();
    let limit = 4096;
    let list: Pair[] = [];
    const trim = (): void => {
      let size = 0;
      list = list.filter(([name, value]) => (size += name.length + value.length + 32) <= limit);
    };
    for (let round = 0; round < 3_000; round++) {
      if (random.below(40) === 0) {
        limit = random.below(4097);
        decode(integer(limit, 5, 0x20), decoder);
      } else {
        const pair: Pair = [`n${random.below(9)}`, 'v'.repeat(random.below(random.pick([5, 50, 500, 5000])))];
        decode(indexedBlock(pair), decoder);
        list.unshift(pair);
        if (pair[0].length + pair[1].length + 32 > limit) list = [];
      }
      trim();
      if (round % 10 === 0) expect(tableOf(decoder)).toEqual(list);
    }
  });
});

test("reads what node's own HTTP/2 writes", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fh-'));
  const path = join(folder, 's');
  const lists: Pair[][] = [];
  const decoder = new Decoder();
  const reader = new FrameReader({
    frame: (type, _flags, _id, bytes, start, end) => {
      if (type === 1) lists.push(decode(bytes.subarray(start, end), decoder));
    },
  });
  const server = createServer((socket: Socket) => {
    socket.write(Buffer.concat([settings(), frame(SETTINGS, 1, 0)]));
    socket.on('data', (chunk) => reader.read(chunk));
    socket.on('error', () => {});
  }).listen(path);
  await once(server, 'listening');
  const client = connect('http://localhost', { createConnection: () => connectTo(path) });
  const random = seeded(2);
  const sent: Pair[][] = [];
  for (let index = 0; index < 200; index++) {
    const value = Array.from({ length: random.below(60) }, () => String.fromCharCode(33 + random.below(94))).join('');
    const name = `x-${random.below(20)}`;
    sent.push([[name, random.below(2) === 0 ? value : 'again']]);
    client.request({ ':path': `/${random.below(5)}`, [name]: sent.at(-1)?.[0]?.[1] }).on('error', () => {});
  }
  await expect.poll(() => lists.length, { timeout: 5_000 }).toBe(200);
  expect(lists.map((list) => list.slice(4))).toEqual(sent);
  client.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});
