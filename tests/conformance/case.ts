/**
 * A case of the suite, and what it works with.
 *
 * @module
 */

import { assertStrictEquals } from "@std/assert";
import { L2TP_CMD } from "../../src/wire/genl/l2tp/constants.ts";
import { type Answer, type Attributes, type CallOptions, readStats } from "./api.ts";
import { type ConformanceFixture, ETH, sleep, UDP4 } from "./fixture.ts";
import { type Difference, expected } from "./differences.ts";

/** One rule and how to see that it is kept. */
export interface Case {
  /** Section of the reference and the rule. */
  readonly name: string;
  /** Looks; throws if the rule is not kept. */
  readonly run: (t: Trial) => void | Promise<void>;
}

/** One run of a case. What it opens is closed when it ends. */
export class Trial implements Disposable {
  /** The two hosts. */
  readonly fixture: ConformanceFixture;
  /** Resources to close at the end. */
  readonly stack: DisposableStack = new DisposableStack();

  /** Starts on a fixture where nothing is. */
  constructor(fixture: ConformanceFixture) {
    this.fixture = fixture;
  }

  /** Expected value for this subject where the subsystems differ. */
  expected<T>(entry: Difference<T>): T {
    return expected(this.fixture.subject, entry);
  }

  /** Sends a command. */
  call(command: number, attributes: Attributes, options?: CallOptions): Answer {
    return this.fixture.api.call(command, attributes, options);
  }

  /** Sends a command that must succeed; its answer. */
  ok(command: number, attributes: Attributes, options?: CallOptions): Answer {
    const answer = this.call(command, attributes, options);
    assertStrictEquals(answer.code, "OK", answer.extack ?? "without extended acknowledgement");
    return answer;
  }

  /** Creates a tunnel: {@link UDP4} with changes. */
  tunnel(changes: Attributes = {}, base: Attributes = UDP4): void {
    this.ok(L2TP_CMD.TUNNEL_CREATE, { ...base, ...changes });
  }

  /** Creates a session: {@link ETH} with changes. */
  session(changes: Attributes = {}): void {
    this.ok(L2TP_CMD.SESSION_CREATE, { ...ETH, ...changes });
  }

  /** Reports whether a tunnel exists. */
  hasTunnel(tunnelId: number): boolean {
    return this.call(L2TP_CMD.TUNNEL_GET, { CONN_ID: tunnelId }).code === "OK";
  }

  /** Reports whether a session exists. */
  hasSession(tunnelId: number, sessionId: number): boolean {
    return this.call(L2TP_CMD.SESSION_GET, { CONN_ID: tunnelId, SESSION_ID: sessionId }).code === "OK";
  }

  /** Counters of a session that are not 0. */
  sessionStats(sessionId = 11, tunnelId = 1): Record<string, number> {
    return this.#stats(L2TP_CMD.SESSION_GET, { CONN_ID: tunnelId, SESSION_ID: sessionId });
  }

  /** Counters of a tunnel that are not 0. */
  tunnelStats(tunnelId = 1): Record<string, number> {
    return this.#stats(L2TP_CMD.TUNNEL_GET, { CONN_ID: tunnelId });
  }

  #stats(command: number, key: Attributes): Record<string, number> {
    const [reply] = this.ok(command, key).replies;
    return Object.fromEntries(Object.entries(readStats(reply!.payload)).filter(([, value]) => value !== 0));
  }

  /** Holds everything for a while. */
  sleep(milliseconds: number): void {
    sleep(milliseconds);
  }

  /** Closes what the run opened. */
  [Symbol.dispose](): void {
    this.stack[Symbol.dispose]();
  }
}

/** Attributes without some. */
export function without(attributes: Attributes, ...names: (keyof Attributes)[]): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !names.includes(name as keyof Attributes)),
  );
}
