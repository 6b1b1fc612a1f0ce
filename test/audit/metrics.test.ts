import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/audit/metrics.js';
import { REASONS } from '../../src/model/reasons.js';

const sources = {
  build: { version: '1.2.3', node: 'v20' },
  cacheEntries: () => [['decisions', 5]] as const,
  keysAge: () => [['https://idp.example', 12]] as const,
  bundleAge: () => [['prod.example', 13]] as const,
  certificateExpiry: () => [] as const,
  revocations: () => [['token', 2]] as const,
  revocationSilence: () => [['redis', 1.5]] as const,
  pins: () => 9,
  storeUp: () => [['redis', 0]] as const,
};

describe('metrics', () => {
  it('have every name of the contract, with the contract’s labels', async () => {
    const metrics = createMetrics({
      ...sources,
      certificateExpiry: () => [['spiffe://prod.example/ns/shop/sa/orders', 3600]],
    });
    metrics.checked('allowed', 0.0002);
    metrics.checked('allowed', 0.0002);
    metrics.checked('token_expired', 0.2);
    metrics.cacheLookup('decisions', 'hit');
    metrics.cacheLookup('decisions', 'miss');
    metrics.cacheLookup('decisions', 'miss');
    metrics.incident('pin_conflict');
    metrics.policyReloaded('loaded');
    metrics.auditDropped(4);
    metrics.revocationCame(0.2);
    metrics.decisionFell();
    const lines = (await metrics.render()).split('\n');
    for (const line of [
      'firsthand_checks_total{decision="allow",reason="allowed"} 2',
      'firsthand_checks_total{decision="deny",reason="token_expired"} 1',
      'firsthand_checks_total{decision="deny",reason="scope_missing"} 0',
      'firsthand_check_duration_seconds_bucket{le="0.00005"} 0',
      'firsthand_check_duration_seconds_bucket{le="0.00025"} 2',
      'firsthand_check_duration_seconds_bucket{le="1"} 3',
      'firsthand_check_duration_seconds_count 3',
      'firsthand_cache_lookups_total{cache="decisions",result="hit"} 1',
      'firsthand_cache_lookups_total{cache="decisions",result="miss"} 2',
      'firsthand_cache_entries{cache="decisions"} 5',
      'firsthand_keys_age_seconds{issuer="https://idp.example"} 12',
      'firsthand_bundle_age_seconds{trust_domain="prod.example"} 13',
      'firsthand_certificate_expiry_seconds{identity="spiffe://prod.example/ns/shop/sa/orders"} 3600',
      'firsthand_policy_reloads_total{result="loaded"} 1',
      'firsthand_policy_reloads_total{result="refused"} 0',
      'firsthand_revocations{type="token"} 2',
      'firsthand_revocation_lag_seconds_bucket{le="0.1"} 0',
      'firsthand_revocation_lag_seconds_bucket{le="0.25"} 1',
      'firsthand_revocation_lag_seconds_sum 0.2',
      'firsthand_revocation_silence_seconds{store="redis"} 1.5',
      'firsthand_revocation_fallen_total 1',
      'firsthand_pins 9',
      'firsthand_store_up{store="redis"} 0',
      'firsthand_incidents_total{type="pin_conflict"} 1',
      'firsthand_audit_dropped_total 4',
      'firsthand_build_info{version="1.2.3",node="v20"} 1',
    ])
      expect(lines).toContain(line);
  });

  it('count on from scrape to scrape, and forget what its source forgot', async () => {
    let cached: readonly (readonly [string, number])[] = [['decisions', 5]];
    const metrics = createMetrics({ ...sources, cacheEntries: () => cached });
    metrics.checked('allowed', 0.1);
    await metrics.render();
    metrics.checked('allowed', 0.1);
    cached = [['tokens', 1]];
    const text = await metrics.render();
    expect(text).toContain('reason="allowed"} 2');
    expect(text).toContain('cache="tokens"} 1');
    expect(text).not.toContain('cache="decisions"');
  });

  it('have one series for each reason, also where two guards live in one process', async () => {
    createMetrics(sources);
    const text = await createMetrics(sources).render();
    const series = text.split('\n').filter((line) => line.startsWith('firsthand_checks_total{'));
    expect(series).toHaveLength(Object.keys(REASONS).length);
  });

  it('do not end a check over a clock that ran backwards', async () => {
    const metrics = createMetrics(sources);
    metrics.checked('allowed', -1);
    metrics.checked('allowed', Number.NaN);
    expect(await metrics.render()).toContain('firsthand_check_duration_seconds_count 2');
  });

  it('fail aloud when a source does', async () => {
    const pins = (): number => {
      throw new Error('no pins');
    };
    await expect(createMetrics({ ...sources, pins }).render()).rejects.toThrow('no pins');
  });
});
