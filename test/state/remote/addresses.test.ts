import { describe, expect, it } from 'vitest';
import { mayConnect } from '../../../src/state/remote/addresses.js';

describe('an https source without a list', () => {
  const may = mayConnect([]);
  it.each([
    '8.8.8.8',
    '172.15.255.255',
    '172.32.0.1',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '2606:4700::1',
    '::ffff:8.8.8.8',
  ])('may be at %s', (address) => expect(may(address)).toBe(true));

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    'fd00::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '::',
    '::ffff:10.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b::10.0.0.1',
    '2002:a00:1::1',
    '2001::1',
    '2001:db8::1',
    'localhost',
    '',
  ])('may not be at %s', (address) => expect(may(address)).toBe(false));
});

describe('an https source with a list', () => {
  const may = mayConnect(['10.1.0.0/16', 'fd00:1::/32', '169.254.1.1']);
  it.each(['10.1.2.3', '::ffff:10.1.2.3', '64:ff9b::10.1.2.3', 'fd00:1::5', '169.254.1.1', '8.8.8.8', '127.0.0.1'])(
    'may be at %s',
    (address) => expect(may(address)).toBe(true),
  );
  it.each(['10.2.2.3', '::ffff:10.2.2.3', 'fd00:2::5', '169.254.1.2'])('may not be at %s', (address) =>
    expect(may(address)).toBe(false),
  );
});
