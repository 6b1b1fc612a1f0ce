/**
 * The guard of app.ts put together from the same parts, so that a test can break one of them on purpose: a dependency
 * that throws, that never ends, that takes its time.
 */
import { randomUUID } from 'node:crypto';
import type { CheckDependencies } from '../../src/ask.js';
import { createCheck } from '../../src/check.js';
import { readersFor } from '../../src/engine.js';
import { readPemChain, readPemText, readSvid } from '../../src/evidence/certificate.js';
import { createHandler } from '../../src/handle.js';
import type { HandlerDependencies } from '../../src/handle.js';
import { verifyPath } from '../../src/origin/path-validation.js';
import { verifyTokenSignature } from '../../src/origin/token.js';
import { createRecorder } from '../../src/recorder.js';
import { createCertificates } from '../../src/state/certificates.js';
import { createDecisionCache } from '../../src/state/decision-cache.js';
import { createPresented } from '../../src/state/pins.js';
import { createRevocations } from '../../src/state/revocations.js';
import { openSources } from '../../src/state/sources.js';
import { createTokens } from '../../src/state/tokens.js';
import { startGrpcListener } from '../../src/wire/grpc-server.js';
import type { Serve } from './guard.js';

export interface Breaks {
  readonly check?: (whole: CheckDependencies) => Partial<CheckDependencies>;
  readonly handler?: (whole: HandlerDependencies) => Partial<HandlerDependencies>;
}

export const serveBroken =
  (breaks: Breaks): Serve =>
  async (settings, log, now) => {
    const onFault = (fault: unknown): void => log.error('a check failed', { fault: String(fault) });
    const recorder = createRecorder(settings, log, now);
    const sources = await openSources(settings, readersFor(settings), now(), recorder.onSource);
    const certificates = createCertificates({
      readPem: ({ encoding, text }) => {
        const chain = encoding === 'percent' ? readPemChain(text) : readPemText(text);
        return chain.ok ? chain.certificates : chain.problem;
      },
      readSvid,
      verifyPath,
    });
    const parts: CheckDependencies = {
      settings,
      snapshot: sources.snapshot,
      verifyCertificate: certificates.verify,
      verifyTokenSignature: createTokens(verifyTokenSignature, settings.cache.entries).verify,
      ...createPresented(settings.cache.pins),
      isRevoked: createRevocations().isRevoked,
      cache: createDecisionCache(settings.cache.entries, settings.cache.maxAge),
      now,
      newId: randomUUID,
      onFault,
    };
    const { mayAnswer, onOutcome } = recorder;
    const whole: HandlerDependencies = {
      check: createCheck({ ...parts, ...breaks.check?.(parts) }),
      settings,
      mayAnswer,
      onOutcome,
      onFault,
    };
    const handle = createHandler({ ...whole, ...breaks.handler?.(whole) });
    const [address] = settings.listen.check;
    if (address === undefined) throw new Error('nowhere to listen');
    const { socketMode } = settings.listen;
    const listener = await startGrpcListener({
      address,
      socketMode,
      reflection: false,
      handle,
      log: (message) => log.warn(message),
    });
    return {
      addresses: { check: [listener.address], admin: undefined },
      reload: () => sources.poll(now(), true),
      async stop() {
        await listener.close(1000);
        await recorder.close();
      },
    };
  };
