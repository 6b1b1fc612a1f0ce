/** RSS of a guard: when it starts, after many checks over many tokens, and while new tokens come without end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Corpus } from './corpus.js';
import { atRate, saturate } from './measure.js';
import type { Bench } from './measure.js';
import type { Plan } from './plan.js';
import { writePrepared } from './prepared.js';
import type { Server } from './processes.js';
import type { Name, Subject } from './subjects.js';

export interface Memory {
  readonly name: Name;
  /** MiB. */
  readonly idle: number;
  readonly after: number;
}

/** Requests are read and thrown away; what stays stays. */
const SETTLE = 1500;

async function during<T>(subject: Subject, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await subject.start();
  try {
    await wait(SETTLE);
    return await work(server);
  } finally {
    await server.stop();
  }
}

export function memoryOf(bench: Bench, subject: Subject, corpus: Corpus, plan: Plan, folder: string): Promise<Memory> {
  const { checks, tokens } = plan.memory;
  const file = join(folder, 'many-tokens.bin');
  writePrepared(file, corpus.newTokens(tokens));
  return during(subject, async (server) => {
    const idle = server.rss();
    for (let sent = 0; sent < checks; sent += tokens)
      await saturate(bench, { server, decides: subject.decides }, { file, until: 'once' });
    await wait(SETTLE);
    return { name: subject.name, idle, after: server.rss() };
  });
}

export interface Flood {
  /** MiB, at equal intervals. */
  readonly rss: readonly number[];
  readonly seconds: number;
  readonly answers: number;
  /** Of them: denied for want of time. */
  readonly turnedAway: number;
  readonly p99: number;
  readonly max: number;
}

/** Each slice is one order, so that memory can be read between two. */
const SLICE = 2500;

export function flood(bench: Bench, subject: Subject, corpus: Corpus, plan: Plan, folder: string): Promise<Flood> {
  const { ms, rate } = plan.flood;
  const file = join(folder, 'flood.json');
  writeFileSync(file, JSON.stringify(corpus.flood()));
  return during(subject, async (server) => {
    const target = { server, decides: subject.decides };
    const rss = [server.rss()];
    const late: number[] = [];
    let [max, answers, turnedAway] = [0, 0, 0];
    for (let spent = 0; spent < ms; spent += SLICE) {
      // Tokens of each slice are numbered from another thousand million.
      const load = { file, until: SLICE, source: 'flood', slice: spent / SLICE } as const;
      const slice = await atRate(bench, target, load, rate);
      rss.push(server.rss());
      late.push(slice.p99);
      max = Math.max(max, slice.max);
      answers += slice.answers;
      turnedAway += slice.turnedAway;
    }
    return { rss, seconds: ms / 1000, answers, turnedAway, p99: Math.max(...late), max };
  });
}
