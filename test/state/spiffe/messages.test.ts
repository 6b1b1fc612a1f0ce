import { describe, expect, it } from 'vitest';
import { JWT_BUNDLES, X509_BUNDLES, X509_SVIDS } from '../../../src/state/spiffe/messages.js';
import { Malformed } from '../../../src/x509/der.js';
import { encode } from '../../helpers/workload-api.js';

const bytes = (text: string): Buffer => Buffer.from(text);

describe('the messages of the Workload API', () => {
  it('are those of the protocol: what its maps encode, our entries decode', () => {
    const bundles = { 'spiffe://a': bytes('A'), 'spiffe://b': bytes('B') };
    const entries = [
      { key: 'spiffe://a', value: bytes('A') },
      { key: 'spiffe://b', value: bytes('B') },
    ];
    expect(X509_BUNDLES.read(encode('FetchX509Bundles', { crl: [bytes('C')], bundles }))).toEqual({
      crl: [bytes('C')],
      bundles: entries,
    });
    expect(JWT_BUNDLES.read(encode('FetchJWTBundles', { bundles }))).toEqual({ bundles: entries });
    const svid = {
      spiffe_id: 'spiffe://a/b',
      x509_svid: bytes('1'),
      x509_svid_key: bytes('2'),
      bundle: bytes('3'),
    };
    const message = { svids: [{ ...svid, hint: 'h' }], crl: [bytes('C')], federated_bundles: bundles };
    expect(X509_SVIDS.read(encode('FetchX509SVID', message))).toEqual({ svids: [svid] });
  });

  it('are called where the protocol has them: the service has no package', () => {
    expect([X509_BUNDLES.path, JWT_BUNDLES.path, X509_SVIDS.path]).toEqual([
      '/SpiffeWorkloadAPI/FetchX509Bundles',
      '/SpiffeWorkloadAPI/FetchJWTBundles',
      '/SpiffeWorkloadAPI/FetchX509SVID',
    ]);
  });

  it('show a name that comes twice, and are empty where nothing was sent', () => {
    const once = encode('FetchX509Bundles', { bundles: { 'spiffe://a': bytes('A') } });
    expect(X509_BUNDLES.read(Buffer.concat([once, once])).bundles).toHaveLength(2);
    expect(X509_BUNDLES.read(Buffer.alloc(0))).toEqual({ crl: [], bundles: [] });
  });

  it('are malformed where they are cut, or no message at all', () => {
    const whole = encode('FetchX509Bundles', { bundles: { 'spiffe://a': bytes('A') } });
    expect(() => X509_BUNDLES.read(whole.subarray(0, -1))).toThrow(Malformed);
    expect(() => JWT_BUNDLES.read(bytes('no message'))).toThrow(Malformed);
  });
});
