/**
 * What a metric is, and what metrics are made of.
 *
 * @module
 */

import type { DropCounts } from "../model/drop_counts.ts";
import type { Link } from "../model/link.ts";
import type { Session } from "../model/session.ts";
import type { SessionOffloads } from "../model/session_offloads.ts";
import type { Tunnel } from "../model/tunnel.ts";

/** What was found in one network namespace. */
export interface NamespaceSnapshot {
  /** Its name, for the label; `""` for the namespace of process 1. */
  readonly netns: string;
  /** Its tunnels. */
  readonly tunnels: readonly Tunnel[];
  /** Their sessions. */
  readonly sessions: readonly Session[];
  /** Its interfaces; `undefined` where they are not known. */
  readonly links: readonly Link[] | undefined;
  /** Dropped packets by reason; none of the kernel's subsystem. */
  readonly drops: readonly DropCounts[];
  /** What the system does for sessions; none of the kernel's subsystem. */
  readonly offloads: readonly SessionOffloads[];
}

/** What is known of the daemon's process. */
export interface ProcessFacts {
  /** When it was started, in seconds since 1970. */
  readonly startSeconds: number;
  /** Memory that it has in use, in bytes. */
  readonly residentBytes: number;
  /** Its open descriptors. */
  readonly openFds: number;
  /** How many it may have. */
  readonly maxFds: number;
}

/** Everything that metrics are made of, as it was at one time. */
export interface Snapshot {
  /** The program's version. */
  readonly version: string;
  /** Which subsystem it is of. */
  readonly dataplane: "kernel" | "user";
  /** The daemon's own process, where it is the daemon that tells. */
  readonly daemon: ProcessFacts | undefined;
  /** The namespaces. */
  readonly namespaces: readonly NamespaceSnapshot[];
}

/** Values of a metric's labels, by the label's name. */
export type Labels = Readonly<Record<string, string | number>>;

/** One number of a metric. */
export interface MetricSample {
  /** All labels of the metric with their values. */
  readonly labels: Labels;
  /** The number. Counters beyond 2^53 are rounded, as everything is in Prometheus. */
  readonly value: number;
}

/** A metric: a row of the table. */
export interface Metric {
  /** Its name, which stays what it is. */
  readonly name: string;
  /** Whether it only grows. */
  readonly type: "counter" | "gauge";
  /** One line about it. */
  readonly help: string;
  /** Names of its labels, which stay what they are; no value changes while the thing it is about lives. */
  readonly labels: readonly string[];
  /** Its numbers. */
  samples(snapshot: Snapshot): Iterable<MetricSample>;
}
